//! Decides whether a word nobody knows is a slip of the finger, and which known word was meant.

/// More slips than this make another word.
const SLIPS_MAX: usize = 2;

/// The known word closest to `typed`, if it is close enough to be worth a question.
pub(crate) fn closest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let scored = known.into_iter().map(|word| (slips(typed, word), word));
    let (slips, word) = scored.min_by_key(|(slips, _)| *slips)?;
    let close = slips <= SLIPS_MAX && slips < word.chars().count();
    let begun = typed.len() > SLIPS_MAX && word.starts_with(typed);
    (close || begun).then_some(word)
}

/// How many letters were left out, put in, mistaken or swapped with their neighbour.
fn slips(typed: &str, meant: &str) -> usize {
    let (typed, meant): (Vec<char>, Vec<char>) = (typed.chars().collect(), meant.chars().collect());
    // table[i][j]: slips between the first `i` letters typed and the first `j` meant.
    let mut table = vec![vec![0; meant.len() + 1]; typed.len() + 1];
    for i in 0..=typed.len() {
        for j in 0..=meant.len() {
            table[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let mistaken = usize::from(typed[i - 1] != meant[j - 1]);
                    let swapped = i > 1
                        && j > 1
                        && typed[i - 1] == meant[j - 2]
                        && typed[i - 2] == meant[j - 1];
                    let plain = (table[i - 1][j] + 1)
                        .min(table[i][j - 1] + 1)
                        .min(table[i - 1][j - 1] + mistaken);
                    if swapped {
                        plain.min(table[i - 2][j - 2] + 1)
                    } else {
                        plain
                    }
                }
            };
        }
    }
    table[typed.len()][meant.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["run", "help", "max-memory"];
        for (typed, meant) in [
            ("rnu", Some("run")),
            ("runn", Some("run")),
            ("hlep", Some("help")),
            ("max-memroy", Some("max-memory")),
            ("max-mem", Some("max-memory")),
            ("build", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(closest(typed, known), meant, "{typed}");
        }
    }
}
