//! One module a subcommand, each thin over the packages that do the work.

pub mod audit;
pub mod bag;
pub mod calibrate;
pub mod doctor;
pub mod learn;
pub mod locate;
pub mod platform;
pub mod review;
pub mod sim;
pub mod site;
pub mod twin;
pub mod urdf;
pub mod view;
