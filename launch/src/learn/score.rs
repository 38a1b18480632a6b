//! How well weights do on lessons that they were not taught from.

use std::collections::BTreeMap;

use positioning::decoder::Weights;

use super::faces::FaceWindowLesson;
use super::rows::RowLesson;

/// Sums over tags.
#[derive(Default)]
struct Sums {
    tags: f64,
    error: f64,
    within: f64,
    pairs: f64,
    in_order: f64,
    classes: f64,
    class_right: f64,
}

impl Sums {
    /// Adds the places of one window: true places, moves short of them, stated errors, row or tier, whether it counts.
    fn add(&mut self, x: &[f64], error: &[f64], stated: &[f64], row: &[i32], home: &[f32]) {
        for i in (0..x.len()).filter(|&i| home[i] > 0.5 && row[i] >= 0) {
            self.tags += 1.0;
            self.error += error[i].abs();
            self.within += if error[i].abs() <= stated[i] { 1.0 } else { 0.0 };
            let next = (0..x.len())
                .filter(|&j| row[j] == row[i] && x[j] > x[i])
                .min_by(|&a, &b| x[a].total_cmp(&x[b]));
            if let Some(j) = next {
                self.pairs += 1.0;
                self.in_order += if x[j] + error[j] > x[i] + error[i] { 1.0 } else { 0.0 };
            }
        }
    }

    fn scores(&self) -> BTreeMap<String, f64> {
        let share = |a: f64, b: f64| if b > 0.0 { (1e4 * a / b).round() / 1e4 } else { 0.0 };
        let mut out = BTreeMap::from([
            ("error_m".to_owned(), share(self.error, self.tags)),
            ("pairs_in_order".to_owned(), share(self.in_order, self.pairs)),
            ("within_stated_error".to_owned(), share(self.within, self.tags)),
            ("tags".to_owned(), self.tags),
        ]);
        if self.classes > 0.0 {
            out.insert("tier_or_side_right".to_owned(), share(self.class_right, self.classes));
        }
        out
    }
}

/// Scores over rows.
pub fn rows(weights: &Weights, lessons: &[RowLesson]) -> BTreeMap<String, f64> {
    let mut sums = Sums::default();
    for l in lessons {
        let answers = weights.answers(&l.window);
        let x: Vec<f64> = l.window.start_m.iter().zip(&l.target).map(|(s, t)| s + f64::from(*t)).collect();
        let error: Vec<f64> = answers.iter().zip(&l.target).map(|(a, t)| a.move_m - f64::from(*t)).collect();
        let stated: Vec<f64> = answers.iter().map(|a| a.error_m).collect();
        sums.add(&x, &error, &stated, &l.row, &l.home);
    }
    sums.scores()
}

/// Scores over faces.
pub fn faces(weights: &Weights, lessons: &[FaceWindowLesson]) -> BTreeMap<String, f64> {
    let mut sums = Sums::default();
    for l in lessons {
        let answers = weights.face_answers(&l.window);
        let x: Vec<f64> = l.window.start_m.iter().zip(&l.target).map(|(s, t)| s + f64::from(*t)).collect();
        let error: Vec<f64> = answers.iter().zip(&l.target).map(|(a, t)| a.move_m - f64::from(*t)).collect();
        let stated: Vec<f64> = answers.iter().map(|a| a.error_m).collect();
        sums.add(&x, &error, &stated, &l.tier, &l.home);
        for ((answer, &class), home) in answers.iter().zip(&l.class).zip(&l.home) {
            if *home > 0.5 {
                sums.classes += 1.0;
                let best = (0..5).max_by(|&a, &b| answer.classes[a].total_cmp(&answer.classes[b]));
                sums.class_right += if best == Some(class) { 1.0 } else { 0.0 };
            }
        }
    }
    sums.scores()
}
