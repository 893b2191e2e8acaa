//! The grid of a sweep: axes, the points they span, and the order of a round. Pure.

use crate::args::Setting;
use crate::failure::Failure;

/// One key and the values it takes.
#[derive(Clone)]
pub(crate) struct Axis {
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

impl Axis {
    /// `key=a,b,c` for every setting; a key may be there only once.
    pub(crate) fn all(settings: Vec<Setting>) -> Result<Vec<Self>, Failure> {
        let mut axes: Vec<Axis> = Vec::new();
        for (key, values) in settings {
            if axes.iter().any(|axis| axis.key == key) {
                return Err(Failure::Usage(format!(
                    "`{key}` is given twice: put all its values behind one, `{key}=a,b,c`."
                )));
            }
            let values = values.split(',').map(String::from).collect();
            axes.push(Axis { key, values });
        }
        Ok(axes)
    }
}

/// Points in the grid.
pub(super) fn size(axes: &[Axis]) -> u64 {
    let lengths = axes.iter().map(|axis| axis.values.len() as u64);
    lengths.fold(1, u64::saturating_mul)
}

/// Every combination, the last axis fastest.
pub(super) fn points(axes: &[Axis]) -> Vec<Vec<Setting>> {
    let mut points = vec![Vec::new()];
    for axis in axes {
        points = points
            .iter()
            .flat_map(|point| axis.values.iter().map(move |value| (point, value)))
            .map(|(point, value)| {
                let mut longer: Vec<Setting> = point.clone();
                longer.push((axis.key.clone(), value.clone()));
                longer
            })
            .collect();
    }
    points
}

/// Fisher and Yates, from a splitmix64 state that goes on from round to round.
pub(super) fn shuffle(order: &mut [usize], state: &mut u64) {
    for last in (1..order.len()).rev() {
        order.swap(last, (random(state) % (last as u64 + 1)) as usize);
    }
}

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(settings: &[(&str, &str)]) -> Result<Vec<Axis>, Failure> {
        let settings = settings
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        Axis::all(settings.collect())
    }

    #[test]
    fn a_grid_is_every_combination_with_the_last_axis_fastest() {
        let axes = axes(&[("a", "1,2"), ("b", "x,y,z")]).unwrap();
        let points: Vec<String> = points(&axes)
            .iter()
            .map(|point| point.iter().map(|(_, value)| value.as_str()).collect())
            .collect();
        assert_eq!(points, ["1x", "1y", "1z", "2x", "2y", "2z"]);
        assert_eq!(size(&axes), 6);
    }

    #[test]
    fn no_axis_at_all_is_one_point() {
        assert_eq!(points(&[]), [[]]);
        assert_eq!(size(&[]), 1);
    }

    #[test]
    fn an_axis_given_twice_is_refused() {
        let text = axes(&[("a", "1"), ("a", "2")]).err().unwrap().to_string();
        assert!(text.contains("`a` is given twice"), "{text}");
    }

    #[test]
    fn a_shuffle_keeps_every_element_and_moves_some() {
        let (mut order, mut state) = ((0..100).collect::<Vec<_>>(), 7);
        shuffle(&mut order, &mut state);
        assert!(order.iter().enumerate().any(|(at, value)| at != *value));
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
