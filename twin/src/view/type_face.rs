//! Letters, Chinese and Latin, drawn into a picture. Needs a font of this machine: Debian's `fonts-noto-cjk` (SIL Open Font
//! License 1.1). None is in the tree.

use std::path::PathBuf;

use ab_glyph::{Font, FontVec, GlyphId, PxScale, ScaleFont, point};

use super::stage::ViewError;

/// Environment variable that names another font file.
const OVERRIDE: &str = "SHELFWRIGHT_FONT";
/// Where distributions put Noto CJK; in a collection, the face with simplified Chinese forms is the third.
const SANS: [&str; 4] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
];
const SERIF: [&str; 4] = [
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc",
    "/usr/share/fonts/noto-cjk/NotoSerifCJK-Bold.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSerifCJK-Bold.ttc",
    "/usr/share/fonts/google-noto-serif-cjk-fonts/NotoSerifCJK-Bold.ttc",
];
const SIMPLIFIED: u32 = 2;

/// The fonts of spines and labels.
pub(super) struct Fonts {
    /// For labels and plain titles.
    pub sans: FontVec,
    /// For titles with some dignity; the sans where there is none.
    pub serif: Option<FontVec>,
}

impl Fonts {
    /// Finds them on this machine.
    pub fn find() -> Result<Self, ViewError> {
        if let Some(path) = std::env::var_os(OVERRIDE).map(PathBuf::from) {
            let refused = |what: String| ViewError::Font(format!("{OVERRIDE}={}: {what}", path.display()));
            let data = std::fs::read(&path).map_err(|e| refused(e.to_string()))?;
            let sans = face(data).ok_or_else(|| refused("not a TrueType or OpenType font".into()))?;
            return Ok(Self { sans, serif: None });
        }
        let first = |paths: &[&str]| paths.iter().find_map(|p| std::fs::read(p).ok().and_then(face));
        let sans = first(&SANS).ok_or_else(|| {
            ViewError::Font(format!(
                "no font for spines and labels: install Noto CJK (Debian and Ubuntu: apt-get install fonts-noto-cjk), \
                 or name a font file with Chinese and Latin letters in {OVERRIDE}"
            ))
        })?;
        Ok(Self { sans, serif: first(&SERIF) })
    }
}

/// The sans font's file, for words in a window.
pub(super) fn sans_file() -> Option<Vec<u8>> {
    SANS.iter().find_map(|p| std::fs::read(p).ok())
}

fn face(data: Vec<u8>) -> Option<FontVec> {
    // A single font has only the first face.
    let collection = data.starts_with(b"ttcf");
    FontVec::try_from_vec_and_index(data, if collection { SIMPLIFIED } else { 0 }).ok()
}

/// A grey picture of how much ink covers each pixel, 0 to 1.
pub(super) struct Ink {
    pub width: usize,
    pub height: usize,
    pub cover: Vec<f32>,
}

impl Ink {
    fn blank(width: usize, height: usize) -> Self {
        Self { width, height, cover: vec![0.0; width * height] }
    }

    /// Turned by a quarter clockwise: what was written to the right reads downwards.
    pub fn turned(&self) -> Self {
        let mut out = Self::blank(self.height, self.width);
        for y in 0..self.height {
            for x in 0..self.width {
                out.cover[x * out.width + (self.height - 1 - y)] = self.cover[y * self.width + x];
            }
        }
        out
    }
}

/// Whether a text is written with Chinese characters.
pub(super) fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c))
}

/// Width of one line, pixels, at a size from ascent to descent.
pub(super) fn width(font: &FontVec, text: &str, size: f32) -> f32 {
    let scaled = font.as_scaled(PxScale::from(size));
    text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c))).sum()
}

/// One line from left to right, cut off at `limit` pixels.
pub(super) fn line(font: &FontVec, text: &str, size: f32, limit: f32) -> Ink {
    let scaled = font.as_scaled(PxScale::from(size));
    let mut ink =
        Ink::blank(width(font, text, size).min(limit).ceil().max(1.0) as usize, size.ceil() as usize);
    let mut x = 0.0;
    for c in text.chars() {
        let id = scaled.glyph_id(c);
        let advance = scaled.h_advance(id);
        if x + advance > limit + 0.5 {
            break;
        }
        draw(font, &mut ink, id, size, x, 0.0);
        x += advance;
    }
    ink
}

/// From character to character down a column, of the height from ascent to descent.
pub(super) const PITCH: f32 = 0.74;

/// One column from the top, a character below the other, cut off at `limit` pixels.
pub(super) fn column(font: &FontVec, text: &str, size: f32, limit: f32) -> Ink {
    let pitch = size * PITCH;
    let fitting = (limit / pitch).max(0.0) as usize;
    let count = text.chars().count().min(fitting);
    let mut ink =
        Ink::blank(size.ceil() as usize, ((count as f32 * pitch + 0.2 * size).ceil() as usize).max(1));
    let scaled = font.as_scaled(PxScale::from(size));
    for (i, c) in text.chars().take(count).enumerate() {
        let id = scaled.glyph_id(c);
        let x = (ink.width as f32 - scaled.h_advance(id)) / 2.0;
        draw(font, &mut ink, id, size, x, i as f32 * pitch);
    }
    ink
}

/// Draws a glyph whose line's upper left corner is given.
fn draw(font: &FontVec, ink: &mut Ink, id: GlyphId, size: f32, x: f32, y: f32) {
    let scaled = font.as_scaled(PxScale::from(size));
    let glyph = id.with_scale_and_position(size, point(x, y + scaled.ascent()));
    let Some(outlined) = font.outline_glyph(glyph) else { return };
    let low = outlined.px_bounds().min;
    outlined.draw(|dx, dy, cover| {
        let (px, py) = (low.x as i64 + i64::from(dx), low.y as i64 + i64::from(dy));
        if px >= 0 && py >= 0 && (px as usize) < ink.width && (py as usize) < ink.height {
            let at = &mut ink.cover[py as usize * ink.width + px as usize];
            *at = at.max(cover.min(1.0));
        }
    });
}
