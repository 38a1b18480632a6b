//! The drawing of a row face: bays, tiers and every book's spine to scale, as the numbers of an SVG.
