//! A click on a book.

use bevy::math::{Affine3A, Vec3};
use bevy::prelude::*;

use super::super::books::{book_frame, shelf_frame};
use super::super::scene::Scene;
use super::Shown;

/// The book that was clicked: index into the scene's books.
#[derive(Resource, Default)]
pub(super) struct Selected(pub Option<usize>);

/// A press and a release nearer than this are a click, pixels.
const STILL_PX: f32 = 4.0;

/// Selects what is clicked.
pub(super) fn click(
    buttons: Res<'_, ButtonInput<MouseButton>>,
    window: Single<'_, '_, &Window>,
    eye: Single<'_, '_, (&Camera, &GlobalTransform)>,
    shown: Res<'_, Shown>,
    mut selected: ResMut<'_, Selected>,
    mut pressed_at: Local<'_, Option<Vec2>>,
) {
    let Some(cursor) = window.cursor_position() else { return };
    if buttons.just_pressed(MouseButton::Left) {
        *pressed_at = Some(cursor);
    }
    if !buttons.just_released(MouseButton::Left) {
        return;
    }
    let still = pressed_at.take().is_some_and(|p| p.distance(cursor) < STILL_PX);
    let (camera, at) = eye.into_inner();
    if still && let Ok(ray) = camera.viewport_to_world(at, cursor) {
        selected.0 = book_at(&shown.0, ray.origin, *ray.direction);
    }
}

/// The first book that a ray meets from the front; shelves hide what is behind them.
pub(super) fn book_at(scene: &Scene, origin: Vec3, direction: Vec3) -> Option<usize> {
    let mut nearest: Option<(f32, Option<usize>)> = None;
    for (i, face) in scene.faces.iter().enumerate() {
        let to_face: Affine3A = shelf_frame(face).inverse();
        let (o, d) = (to_face.transform_point3(origin), to_face.transform_vector3(direction));
        let top = face.tiers.last().map_or(0.0, |t| t.board_m + t.clear_m) as f32;
        let high = Vec3::new(face.length_m() as f32, face.depth_m as f32, top);
        let Some(entry) = enters(o, d, high) else { continue };
        if nearest.is_some_and(|(t, _)| t <= entry) {
            continue;
        }
        let front = d.y > 1e-6 && (o + d * entry).y < 1e-3;
        nearest = Some((entry, front.then(|| book_behind(scene, i, origin, direction)).flatten()));
    }
    nearest?.1
}

/// Where a ray enters a box from the origin to `high`.
fn enters(o: Vec3, d: Vec3, high: Vec3) -> Option<f32> {
    let (mut from, mut to) = (0.0f32, f32::INFINITY);
    for axis in 0..3 {
        let (a, b) = (-o[axis] / d[axis], (high[axis] - o[axis]) / d[axis]);
        if d[axis].abs() < 1e-9 {
            if o[axis] < 0.0 || o[axis] > high[axis] {
                return None;
            }
            continue;
        }
        from = from.max(a.min(b));
        to = to.min(a.max(b));
    }
    (from < to).then_some(from)
}

/// The book whose spine a ray on the map meets.
fn book_behind(scene: &Scene, face: usize, o: Vec3, d: Vec3) -> Option<usize> {
    scene.books.iter().enumerate().filter(|(_, b)| b.face == face).find_map(|(i, b)| {
        let to_book = book_frame(&scene.faces[face], b).inverse();
        let (o, d) = (to_book.transform_point3(o), to_book.transform_vector3(d));
        let size = Vec3::from(b.size_m.map(|v| v as f32));
        let p = o - d * (o.y / d.y);
        (p.x >= 0.0 && p.x < size.x && p.z >= 0.0 && p.z < size.z).then_some(i)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inject::UntidySettings;
    use crate::{Scenario, Twin};

    #[test]
    fn a_click_on_a_spine_selects_that_book_and_none_behind_the_shelf() {
        let mut scenario = Scenario::demo(1);
        scenario.untidy = UntidySettings { upside_down: 60, lying: 40, leaning: 20, pushed_back: 60 };
        let scene = Scene::of(&Twin::new(&scenario).unwrap());
        for i in (0..scene.books.len()).step_by(97) {
            let b = &scene.books[i];
            let face = &scene.faces[b.face];
            let size = Vec3::from(b.size_m.map(|v| v as f32));
            let middle = book_frame(face, b).transform_point3(Vec3::new(size.x / 2.0, 0.0, size.z / 2.0));
            let aim = shelf_frame(face).transform_vector3(Vec3::Y);
            let eye = middle - 0.7 * aim;
            assert_eq!(book_at(&scene, eye, aim), Some(i));
            // From the other side of the row another face's books are in front.
            assert_ne!(book_at(&scene, eye + aim * 3.0, -aim), Some(i));
        }
    }
}
