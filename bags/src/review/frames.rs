//! Where frames are: asked of whoever keeps the transforms.

use interfaces::tf2_msgs::TFMessage;

/// Transforms over time. The keeper lives outside of this package, which knows no geometry.
pub trait Frames {
    /// Takes transforms in, `/tf_static` ones for all times.
    fn take(&mut self, message: &TFMessage, is_static: bool);

    /// Where a frame was at a stamp, ns.
    fn place(&self, frame: &str, stamp_ns: i64) -> Place;
}

/// Where a frame was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// On the map.
    At {
        /// Its origin, m.
        origin_m: [f64; 3],
        /// Its x axis, a unit vector; of an antenna that is where it looks.
        x_axis: [f64; 3],
    },
    /// Not known yet: the transforms at that stamp are still to come.
    Later,
    /// Not known, and it never will be.
    Never,
}
