//! What the lidar's rays meet in the world, and how much light comes back from it.

use rapier3d::prelude::{Collider, QueryFilter, Ray, RigidBodyHandle};

use super::{World, floor_z, vector};
use crate::rows::{Met, Rows, STEEL};
use crate::sensors::Hit;

impl World {
    /// What rays from one place on a floor hit, all at its height; the robot itself is left out. Rows of shelves are seen as
    /// they stand there: boards, uprights, books, and gaps between them. `shaded` asks for the light that comes back, too;
    /// without it all is white and square.
    pub fn rays<'a>(
        &'a self,
        rows: &'a Rows,
        floor: usize,
        from: [f64; 3],
        range_m: f64,
        except: RigidBodyHandle,
        shaded: bool,
    ) -> impl Fn(f64) -> Option<Hit> + 'a {
        let query = self.physics.broad_phase.as_query_pipeline(
            self.physics.narrow_phase.query_dispatcher(),
            &self.physics.bodies,
            &self.physics.colliders,
            QueryFilter::default().exclude_rigid_body(except),
        );
        let origin = vector([from[0], from[1], from[2] + floor_z(floor)]);
        move |direction| {
            let look = [libm::cos(direction), libm::sin(direction)];
            let ray = Ray::new(origin, vector([look[0], look[1], 0.0]));
            let (hit, distance) = query.cast_ray(&ray, range_m as f32, true)?;
            let collider = self.physics.colliders.get(hit)?;
            let met = match collider.user_data as usize {
                0 => Met { deeper_m: 0.0, echo: None },
                face => rows.meet(face - 1, from, look, f64::from(distance)),
            };
            let distance_m = f64::from(distance) + met.deeper_m;
            let echo = match met.echo {
                _ if !shaded => 1.0,
                Some(echo) => echo,
                None => reflectance(collider) * squareness(collider, &ray, range_m),
            };
            (distance_m <= range_m).then_some(Hit { distance_m, echo })
        }
    }
}

/// Reflectance of what is no book, as a share of white: painted steel of rows; white walls and boxes; what moves, in cloth.
fn reflectance(collider: &Collider) -> f64 {
    let wall = collider.parent().is_none() && collider.user_data == 0;
    match (collider.user_data, wall) {
        (0, true) => 0.9,
        (0, false) => 0.3,
        _ => STEEL,
    }
}

/// Cosine of the angle at which a ray meets a collider.
fn squareness(collider: &Collider, ray: &Ray, range_m: f64) -> f64 {
    let hit = collider.shape().cast_ray_and_get_normal(collider.position(), ray, range_m as f32, true);
    hit.map_or(1.0, |hit| f64::from(hit.normal.dot(ray.dir).abs()))
}
