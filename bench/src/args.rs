//! Splits a command line into plain words and `key=value` settings; knows no scenario and no field.

/// A command line: words first come, first served, and settings by key.
pub(crate) struct Args {
    pub(crate) words: Vec<String>,
    pub(crate) settings: Vec<Setting>,
}

/// One `key=value`.
pub(crate) type Setting = (String, String);

impl Args {
    pub(crate) fn parse(argv: impl IntoIterator<Item = String>) -> Self {
        let (mut words, mut settings) = (Vec::new(), Vec::new());
        for arg in argv {
            match arg.split_once('=') {
                Some((key, value)) => settings.push((key.to_string(), value.to_string())),
                None => words.push(arg),
            }
        }
        Args { words, settings }
    }

    /// Removes every setting of this key; the last one given counts.
    pub(crate) fn take(&mut self, key: &str) -> Option<String> {
        let (taken, kept) = std::mem::take(&mut self.settings)
            .into_iter()
            .partition(|(name, _)| name == key);
        self.settings = kept;
        let taken: Vec<Setting> = taken;
        taken.into_iter().next_back().map(|(_, value)| value)
    }
}

/// A whole number; `_` may group its digits.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Args {
        Args::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn words_and_settings_are_told_apart_and_keep_their_order() {
        let args = parse("run ring 2 tokens=100 budget=7");
        assert_eq!(args.words, ["run", "ring", "2"]);
        let expected = [("tokens", "100"), ("budget", "7")].map(|(k, v)| (k.into(), v.into()));
        assert_eq!(args.settings, expected);
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_and_both_are_gone() {
        let mut args = parse("csv=a csv=b seed=1");
        assert_eq!(args.take("csv").as_deref(), Some("b"));
        assert_eq!(args.take("csv"), None);
        assert_eq!(args.settings.len(), 1);
    }

    #[test]
    fn a_value_may_contain_an_equals_sign() {
        let args = parse("json=a=b");
        assert_eq!(args.settings, [("json".to_string(), "a=b".to_string())]);
    }

    #[test]
    fn numbers_may_be_grouped_and_nothing_else_is_a_number() {
        assert_eq!(number("1_000_000"), Some(1_000_000));
        assert_eq!(number("ten"), None);
        assert_eq!(number("-1"), None);
    }
}
