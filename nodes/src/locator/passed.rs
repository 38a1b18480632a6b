//! Which part of a face a pass has covered in the end: a pass may be broken off.

use domain::Scan;

/// From where to where along the face antennas have read, m; nothing in an empty pass.
pub(super) fn passed(scan: &Scan) -> Option<[f32; 2]> {
    let along = scan.reads.iter().map(|r| r.antenna_m[0]);
    along.fold(None, |ends, x| {
        let [low, high] = ends.unwrap_or([x, x]);
        Some([x.min(low), x.max(high)])
    })
}

/// Takes back what is said of places that no antenna has passed: tags there are read from afar, a metre and more, but no
/// place can be told for them, so that nobody could tell which of them are missing.
pub(super) fn forget_beyond(read_probability: &mut [f32], bin_m: f32, passed_m: Option<[f32; 2]>) {
    for (bin, p) in read_probability.iter_mut().enumerate() {
        let middle = (bin as f32 + 0.5) * bin_m;
        if !passed_m.is_some_and(|[low, high]| (low..=high).contains(&middle)) {
            *p = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_covered_beyond_the_place_where_a_pass_was_broken_off() {
        let mut p = [1.0; 5];
        forget_beyond(&mut p, 0.1, Some([-0.6, 0.26]));
        assert_eq!(p, [1.0, 1.0, 1.0, 0.0, 0.0]);
        forget_beyond(&mut p, 0.1, None);
        assert_eq!(p, [0.0; 5]);
    }
}
