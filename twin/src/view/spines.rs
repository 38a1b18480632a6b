//! Spines as printed: title and author in Chinese or Latin letters, and the label with the call number.
//!
//! One texture holds the spines of a group of books, laid out in rows.

use ab_glyph::FontVec;

use super::books::{LABEL_M, cover, field, ink};
use super::scene::Book;
use super::solid::{Rgb, mix, srgb};
use super::stage::encode;
use super::type_face::{Fonts, Ink, PITCH, column, is_chinese, line, width};
use crate::covers::trait_of;

/// Width of a texture, pixels.
const WIDTH: usize = 2048;
/// Call numbers are written along the spine where they would be smaller than this across it, m from ascent to descent.
const SMALLEST_M: f32 = 0.0036;
/// Around each spine its outermost pixels are repeated so often: between texels at its edge it is still itself.
const GAP: usize = 2;

/// A texture with the spines of some books, sRGB with alpha; its first texels are white.
pub(super) struct Sheet {
    pub width: u32,
    pub height: u32,
    pub rgba: Vec<u8>,
    /// Upper left and lower right corner of each book's spine, as texture coordinates.
    pub uv: Vec<[[f32; 2]; 2]>,
}

/// Prints the spines of some books, so many pixels a metre.
pub(super) fn print<'a>(books: impl Iterator<Item = &'a Book> + Clone, per_m: f32, fonts: &Fonts) -> Sheet {
    let size = |b: &Book| {
        let px = |m: f64| ((m as f32 * per_m).round() as usize).clamp(2, WIDTH - 8 - 2 * GAP);
        (px(b.size_m[0]), px(b.size_m[2]))
    };
    // The first row begins beside the white texels.
    let (mut x, mut y, mut row) = (8 + GAP, GAP, 8);
    let mut places = Vec::new();
    for b in books.clone() {
        let (w, h) = size(b);
        if x + w + GAP > WIDTH {
            (x, y, row) = (GAP, y + row + 2 * GAP, 0);
        }
        places.push((x, y, w, h));
        x += w + 2 * GAP;
        row = row.max(h);
    }
    let height = y + row + GAP;
    let mut page = Page { width: WIDTH, pixels: vec![[1.0; 3]; WIDTH * height] };
    for (b, (x, y, w, h)) in books.zip(&places) {
        spine(&mut page, b, [*x, *y, *w, *h], per_m, fonts);
        page.bleed([*x, *y, *w, *h]);
    }
    let uv = places
        .iter()
        .map(|&(x, y, w, h)| {
            let at = |x: f32, y: f32| [x / WIDTH as f32, y / height as f32];
            let (x, y, w, h) = (x as f32, y as f32, w as f32, h as f32);
            [at(x + 0.5, y + 0.5), at(x + w - 0.5, y + h - 0.5)]
        })
        .collect();
    let rgba = page.pixels.iter().flat_map(|p| [encode(p[0]), encode(p[1]), encode(p[2]), 255]).collect();
    Sheet { width: WIDTH as u32, height: height as u32, rgba, uv }
}

struct Page {
    width: usize,
    pixels: Vec<Rgb>,
}

impl Page {
    fn fill(&mut self, [x, y, w, h]: [usize; 4], colour: Rgb) {
        for row in y..y + h {
            self.pixels[row * self.width + x..row * self.width + x + w].fill(colour);
        }
    }

    /// Repeats the outermost pixels of a part of the page around it.
    fn bleed(&mut self, [x, y, w, h]: [usize; 4]) {
        for row in y..y + h {
            let line = &mut self.pixels[row * self.width..][..self.width];
            let (left, right) = (line[x], line[x + w - 1]);
            line[x - GAP..x].fill(left);
            line[x + w..x + w + GAP].fill(right);
        }
        let part = x - GAP..x + w + GAP;
        for k in 1..=GAP {
            for (from, to) in [(y, y - k), (y + h - 1, y + h - 1 + k)] {
                let (from, to) = (from * self.width, to * self.width);
                self.pixels.copy_within(from + part.start..from + part.end, to + part.start);
            }
        }
    }

    /// Puts ink on a part of the page, its upper left corner at a place; what is outside is cut off.
    fn stamp(&mut self, [x, y, w, h]: [usize; 4], at: [f32; 2], ink: &Ink, colour: Rgb) {
        let (left, top) = (at[0].round() as i64, at[1].round() as i64);
        for row in 0..ink.height {
            for column in 0..ink.width {
                let cover = ink.cover[row * ink.width + column];
                let (px, py) = (left + column as i64, top + row as i64);
                if cover > 0.0 && px >= 0 && py >= 0 && (px as usize) < w && (py as usize) < h {
                    let pixel = &mut self.pixels[(y + py as usize) * self.width + x + px as usize];
                    *pixel = mix(*pixel, colour, cover);
                }
            }
        }
    }
}

fn spine(page: &mut Page, book: &Book, at: [usize; 4], per_m: f32, fonts: &Fonts) {
    let [_, _, w, h] = at;
    let cloth = cover(book);
    let pick = trait_of(&book.uid, 2);
    let print = ink(cloth, pick);
    page.fill(at, cloth);
    bands(page, at, cloth, print, pick);
    let label_top = h as f32 - (LABEL_M[0] + LABEL_M[1]) * per_m;
    let font = fonts.serif.as_ref().filter(|_| pick & 1 == 0).unwrap_or(&fonts.sans);
    let margin = 0.07 * h as f32;
    if !book.title.is_empty() && label_top > 3.0 * margin {
        let room = label_top - margin - 0.03 * h as f32;
        title(page, at, book, font, margin, room, print, per_m);
    }
    if book.call_number.is_empty() {
        return;
    }
    let label = [
        at[0],
        at[1] + label_top.max(0.0) as usize,
        w,
        ((LABEL_M[1] * per_m) as usize).min(h - label_top.max(0.0) as usize),
    ];
    page.fill(label, srgb(0xfbf8f0));
    call_number(page, label, &book.call_number, &fonts.sans, per_m);
}

/// Bands at head and foot, or a field of another colour behind the title.
fn bands(page: &mut Page, [x, y, w, h]: [usize; 4], cloth: Rgb, print: Rgb, pick: u32) {
    let thin = (h / 160).max(1);
    match pick >> 4 & 3 {
        0 => {
            for part in [0.035, 0.05] {
                page.fill([x, y + (part * h as f32) as usize, w, thin], mix(cloth, print, 0.8));
            }
        }
        1 => page.fill([x, y + h / 16, w, h * 9 / 16], field(cloth)),
        2 => page.fill([x, y + h / 40, w, thin * 3], mix(cloth, print, 0.8)),
        _ => {}
    }
}

/// Title from the top, and below it, smaller, the author where there is room.
#[expect(clippy::too_many_arguments, reason = "a spine's measures are what they are")]
fn title(
    page: &mut Page,
    at: [usize; 4],
    book: &Book,
    font: &FontVec,
    top: f32,
    room: f32,
    colour: Rgb,
    per_m: f32,
) {
    let w = at[2] as f32;
    let upright = is_chinese(&book.title);
    // Letters fill the spine but for a margin, and are no larger than a thumb.
    let most = (0.013 * per_m).min(0.72 * w);
    let written = |text: &str, size: f32, limit: f32| {
        if upright { column(font, text, size, limit) } else { line(font, text, size, limit).turned() }
    };
    let length = |text: &str, size: f32| {
        if upright { text.chars().count() as f32 * PITCH * size } else { width(font, text, size) }
    };
    // Long titles get smaller letters, down to two thirds, and are cut off after that.
    let share = 0.74 * room;
    let size = most * (share / length(&book.title, most).max(1.0)).clamp(0.66, 1.0);
    let ink = written(&book.title, size, share);
    page.stamp(at, [(w - ink.width as f32) / 2.0, top], &ink, colour);
    let left = room - ink.height as f32 - 0.5 * size;
    let author =
        if upright { book.author.as_str() } else { book.author.split(',').next().unwrap_or_default() };
    let small = 0.7 * size;
    if length(author, small) <= left {
        let ink = written(author, small, left);
        let y = top + room - ink.height as f32;
        page.stamp(at, [(w - ink.width as f32) / 2.0, y], &ink, mix(colour, [0.5; 3], 0.1));
    }
}

/// A call number in the lines in which labels have it: the class, then what follows.
fn lines(call_number: &str) -> Vec<String> {
    match call_number.split_once('/') {
        Some((class, number)) => vec![class.to_owned(), format!("/{number}")],
        None => call_number.split_whitespace().map(str::to_owned).collect(),
    }
}

fn call_number(page: &mut Page, at: [usize; 4], text: &str, font: &FontVec, per_m: f32) {
    let [_, _, w, h] = at.map(|v| v as f32);
    let rule = srgb(0x3c5a8c);
    let thin = (0.0006 * per_m).round().max(1.0) as usize;
    page.fill([at[0], at[1], at[2], thin], rule);
    page.fill([at[0], at[1] + at[3] - thin, at[2], thin], rule);
    let lines = lines(text);
    let ink = srgb(0x161616);
    let widest = |size: f32| lines.iter().map(|l| width(font, l, size)).fold(1.0, f32::max);
    // Across the spine where letters of this size fit, along it on thin books.
    let across = (h * 0.9 / lines.len() as f32).min(0.0105 * per_m);
    let size = across * ((w * 0.92) / widest(across)).min(1.0);
    if size >= SMALLEST_M * per_m {
        let pitch = 0.82 * size;
        let top = (h - pitch * lines.len() as f32 - 0.18 * size) / 2.0;
        for (i, l) in lines.iter().enumerate() {
            let drawn = line(font, l, size, w);
            page.stamp(at, [(w - drawn.width as f32) / 2.0, top + i as f32 * pitch], &drawn, ink);
        }
    } else {
        let size = (w * 0.85).min(0.0075 * per_m);
        let size = size * (h * 0.94 / width(font, text, size).max(1.0)).min(1.0);
        let drawn = line(font, text, size, h).turned();
        let at_m = [(w - drawn.width as f32) / 2.0, (h - drawn.height as f32) / 2.0];
        page.stamp(at, at_m, &drawn, ink);
    }
}
