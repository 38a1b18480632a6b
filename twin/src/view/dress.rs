//! Gives the books near a camera spines that can be read, and takes them away again: print for a whole library would
//! not fit into memory.

use bevy::asset::RenderAssetUsages;
use bevy::image::{Image, ImageSampler};
use bevy::math::Vec3;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};

use super::books::{self, Spine};
use super::furnish::{BookMesh, Furniture};
use super::scene::Scene;
use super::solid::Solid;
use super::spines::{self, Sheet};
use super::stage::ViewError;
use super::type_face::Fonts;

/// What is worn now.
pub(super) struct Wardrobe {
    fonts: Fonts,
    per_m: f32,
    most: usize,
    /// Groups of books in print, the one that was needed last at the end.
    worn: Vec<Worn>,
}

struct Worn {
    group: usize,
    mesh: Handle<Mesh>,
    material: Handle<StandardMaterial>,
    image: Handle<Image>,
}

impl Wardrobe {
    /// Print so fine, pixels a metre, for so many groups of books at once.
    pub fn new(per_m: f32, most: usize) -> Result<Self, ViewError> {
        Ok(Self { fonts: Fonts::find()?, per_m, most, worn: Vec::new() })
    }

    /// Forgets what is worn: the books were put on their shelves anew.
    pub fn empty(&mut self) {
        self.worn.clear();
    }

    /// Takes all print off again.
    pub fn undress(&mut self, world: &mut World) {
        if self.worn.is_empty() {
            return;
        }
        world.resource_scope(|world, furniture: Mut<'_, Furniture>| {
            for old in self.worn.drain(..) {
                take_off(world, &furniture.books[old.group], &old);
            }
        });
    }

    /// Puts print on the groups of books nearest to an eye on the map, no farther than `within_m`, and on so many more at
    /// once at most.
    pub fn dress(&mut self, world: &mut World, scene: &Scene, eye: Vec3, within_m: f64, at_once: usize) {
        world.resource_scope(|world, furniture: Mut<'_, Furniture>| {
            self.dress_some(world, &furniture.books, scene, eye, within_m, at_once);
        });
    }

    fn dress_some(
        &mut self,
        world: &mut World,
        groups: &[BookMesh],
        scene: &Scene,
        eye: Vec3,
        within_m: f64,
        at_once: usize,
    ) {
        let mut near: Vec<(f64, usize)> = groups
            .iter()
            .enumerate()
            .filter_map(|(i, g)| Some((distance(scene, *g.books.first()?, eye)?, i)))
            .filter(|(d, _)| *d <= within_m)
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(self.most);
        let mut more = 0;
        for (_, group) in near {
            if let Some(at) = self.worn.iter().position(|w| w.group == group) {
                let worn = self.worn.remove(at);
                self.worn.push(worn);
                continue;
            }
            if more == at_once {
                continue;
            }
            more += 1;
            if self.worn.len() >= self.most {
                let old = self.worn.remove(0);
                take_off(world, &groups[old.group], &old);
            }
            let worn = self.put_on(world, scene, &groups[group], group);
            self.worn.push(worn);
        }
    }

    fn put_on(&self, world: &mut World, scene: &Scene, group: &BookMesh, index: usize) -> Worn {
        let sheet = spines::print(group.books.iter().map(|&i| &scene.books[i]), self.per_m, &self.fonts);
        let mut solid = Solid::default();
        for (&i, uv) in group.books.iter().zip(&sheet.uv) {
            let book = &scene.books[i];
            let face = &scene.faces[book.face];
            books::add(&mut solid, face, book, books::cover(book), &Spine::Textured(*uv));
        }
        let image = world.resource_mut::<Assets<Image>>().add(image(sheet));
        let material = world.resource_mut::<Assets<StandardMaterial>>().add(StandardMaterial {
            base_color_texture: Some(image.clone()),
            perceptual_roughness: 0.8,
            reflectance: 0.25,
            ..StandardMaterial::default()
        });
        let mesh = world.resource_mut::<Assets<Mesh>>().add(solid.mesh());
        world.entity_mut(group.entity).insert((Mesh3d(mesh.clone()), MeshMaterial3d(material.clone())));
        Worn { group: index, mesh, material, image }
    }
}

fn take_off(world: &mut World, group: &BookMesh, worn: &Worn) {
    world
        .entity_mut(group.entity)
        .insert((Mesh3d(group.mesh.clone()), MeshMaterial3d(group.material.clone())));
    world.resource_mut::<Assets<Mesh>>().remove(&worn.mesh);
    world.resource_mut::<Assets<StandardMaterial>>().remove(&worn.material);
    world.resource_mut::<Assets<Image>>().remove(&worn.image);
}

/// From an eye to the middle of a book's bay, m; `None` where the eye is behind the shelf.
fn distance(scene: &Scene, book: usize, eye: Vec3) -> Option<f64> {
    let book = scene.books.get(book)?;
    let face = &scene.faces[book.face];
    let p = face.face_from_map([eye.x.into(), eye.y.into(), eye.z.into()]);
    let left = f64::from(book.address.bay - 1) * face.bay_width_m;
    let beside = (left - p[0]).max(p[0] - left - face.bay_width_m).max(0.0);
    (p[1] > 0.0).then(|| beside.hypot(p[1]))
}

fn image(sheet: Sheet) -> Image {
    let size = Extent3d { width: sheet.width, height: sheet.height, depth_or_array_layers: 1 };
    let mut image = Image::new(
        size,
        TextureDimension::D2,
        sheet.rgba,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.sampler = ImageSampler::linear();
    image
}
