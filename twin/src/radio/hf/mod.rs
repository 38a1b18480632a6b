//! HF shelves: tags of ISO 15693 as coupled resonant circuits in the near field of loop antennas, and the 16-slot
//! inventory of their readers.
//!
//! **Model.** The loop's field is that of its wires (Biot and Savart). A tag takes the part along its coil's axis, which lies
//! along the shelf, so that a book right in front of the plate is dark and its two sides are not. Neighbouring coils
//! pull each other's resonance down and take the field from each other. A tag answers where its chip gets enough; there
//! is neither phase nor a useful RSSI. Each antenna has a reader of its own: a plate's field ends within half a metre.
//! Steel boards and panels are left out: they weaken the field near them.
//!
//! Timing is that of the standard's high data rate (26.48 kbit/s both ways, ISO/IEC 15693-3).

mod inventory;
mod near_field;
mod reader;
mod settings;

pub use reader::HfReader;
pub use settings::HfSettings;
