//! Words in the window: time and figures above, keys below, a card for the book that was clicked.

use bevy::prelude::*;
use bevy::text::FontSize;

use super::super::memory::Standing;
use super::super::type_face;
use super::keys::{Choices, HELP};
use super::pick::Selected;
use super::{Link, Remembered, Shown};
use interfaces::shelfwright_msgs::MissionState;

#[derive(Component)]
pub(super) enum Panel {
    Figures,
    Help,
    Card,
}

/// Lays the panels out.
pub(super) fn spawn(mut commands: Commands<'_, '_>, mut fonts: ResMut<'_, Assets<Font>>) {
    // Titles may be Chinese; without such a font they show as far as they are Latin.
    let font = type_face::sans_file().map(|data| fonts.add(Font::from_bytes(data)));
    let text = |size: f32| TextFont {
        font: font.clone().map(Into::into).unwrap_or_default(),
        font_size: FontSize::Px(size),
        ..TextFont::default()
    };
    let shade = BackgroundColor(Color::srgba(0.08, 0.09, 0.1, 0.78));
    let place = |top: Val, right: Val, bottom: Val, left: Val| Node {
        position_type: PositionType::Absolute,
        padding: UiRect::axes(Val::Px(14.0), Val::Px(9.0)),
        border_radius: BorderRadius::all(Val::Px(8.0)),
        top,
        right,
        bottom,
        left,
        ..Node::default()
    };
    let (px, auto) = (Val::Px(12.0), Val::Auto);
    for (panel, node, size) in [
        (Panel::Figures, place(px, auto, auto, px), 15.0),
        (Panel::Help, place(auto, auto, px, px), 13.0),
        (Panel::Card, place(px, px, auto, auto), 15.0),
    ] {
        commands.spawn((node, shade, Visibility::Hidden)).with_child((
            Text::new(""),
            text(size),
            TextColor(Color::srgb(0.95, 0.95, 0.93)),
            panel,
        ));
    }
}

/// Writes them.
pub(super) fn write(
    mut texts: Query<'_, '_, (&Panel, &mut Text, &ChildOf)>,
    mut seen: Query<'_, '_, &mut Visibility>,
    choices: Res<'_, Choices>,
    selected: Res<'_, Selected>,
    memory: Res<'_, Remembered>,
    shown: Res<'_, Shown>,
    link: Res<'_, Link>,
) {
    for (panel, mut text, parent) in &mut texts {
        let words = match panel {
            Panel::Figures => figures(&memory, &link),
            Panel::Help if choices.help => HELP.to_owned(),
            Panel::Help => String::new(),
            Panel::Card => selected.0.map_or_else(String::new, |i| card(i, &shown, &memory)),
        };
        if let Ok(mut seen) = seen.get_mut(parent.parent()) {
            *seen = if words.is_empty() { Visibility::Hidden } else { Visibility::Inherited };
        }
        if text.0 != words {
            text.0 = words;
        }
    }
}

fn figures(memory: &Remembered, link: &Link) -> String {
    let m = &memory.0;
    let s = m.now.now_s();
    let mut out = format!("{:02}:{:02}:{:04.1}", (s / 3600.0) as u32, (s / 60.0) as u32 % 60, s % 60.0);
    if let Ok(link) = link.0.lock() {
        let wishes = &link.wishes;
        out += &match (m.over, wishes.paused(), wishes.speed()) {
            (true, ..) => "   over".to_owned(),
            (_, true, _) => "   paused".to_owned(),
            (.., 0.0) => format!("   as fast as possible: {:.1}× real time", m.factor),
            (.., k) => format!("   ×{k} wanted, {:.1}× real time", m.factor),
        };
    }
    out += &format!(
        "\n{:.0} reads/s, {} in all, {} books located",
        m.reads_a_second,
        m.total_reads,
        m.beliefs.len()
    );
    for (robot, charge) in &m.charges {
        out += &format!("\nbattery {}: {:.0}%", robot + 1, 100.0 * charge);
    }
    if let Some(mission) = &m.mission {
        let state = match mission.state {
            MissionState::TRANSIT => "on the way to",
            MissionState::SCANNING => "scanning",
            MissionState::WAITING => "waiting at",
            MissionState::DONE => "done",
            MissionState::FAILED => "failed",
            MissionState::CANCELLED => "cancelled",
            _ => "idle",
        };
        out += &format!(
            "\n{state} {}   {} of {} row faces done",
            mission.face, mission.faces_done, mission.faces_total
        );
    }
    out
}

fn card(book: usize, shown: &Shown, memory: &Remembered) -> String {
    let b = &shown.0.books[book];
    let known = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let mut out = format!("{}\n{}   {}\n", known(&b.title), known(&b.call_number), b.author);
    out += &format!("barcode {}\ntag {}\n", known(&b.barcode), b.uid);
    let home = b.home.as_ref().map_or("not the library's".to_owned(), ToString::to_string);
    out += &format!(
        "belongs  {home}\nstands   {}, number {}, at {:.3} m\n",
        b.address, b.position, b.corner_m[0]
    );
    match memory.0.beliefs.get(&b.uid) {
        Some(w) => {
            let word = match memory.0.standing(&shown.0, book) {
                Standing::Right => "right",
                Standing::Off => "some centimetres off",
                Standing::Wrong => "wrong tier",
                Standing::Unknown => "unknown",
            };
            out += &format!(
                "believed {}, tier {} ({:.0}%), at {:.3} ± {:.3} m: {word}\n{} reads",
                w.face,
                w.tier,
                100.0 * w.tier_probability,
                w.along_m,
                w.std_m,
                w.reads
            );
        }
        None => out += "believed –: not located yet",
    }
    if let Some(verdict) = memory.0.verdict(&b.uid) {
        out += &format!("\nverdict  {verdict}");
    }
    out
}
