//! A robot's shape from its description: the visuals of all links, in the frame of its root, joints at zero.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::palette::Colour;

/// A shape with its sizes, m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Along x, y, z.
    Box([f32; 3]),
    /// Along its z axis.
    Cylinder { radius: f32, length: f32 },
    /// About its middle.
    Sphere { radius: f32 },
}

/// One visual of a link.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visual {
    pub link: String,
    pub shape: Shape,
    /// Middle in the root's frame, m.
    pub at: [f32; 3],
    /// Rotation against the root's frame: x, y, z, w.
    pub turn: [f32; 4],
    pub colour: Option<Colour>,
}

/// What a description shows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Description {
    /// The root link, whose frame the visuals are in.
    pub root: String,
    pub visuals: Vec<Visual>,
    /// Visuals that are meshes, which are not in the bag.
    pub meshes: usize,
}

/// A place against a parent: shift, and rotation as x, y, z, w.
#[derive(Clone, Copy)]
struct Pose {
    at: [f64; 3],
    turn: [f64; 4],
}

const HERE: Pose = Pose { at: [0.0; 3], turn: [0.0, 0.0, 0.0, 1.0] };

impl Pose {
    /// The `origin` of a joint or visual: fixed-axis roll, pitch, yaw.
    fn origin(of: Node<'_, '_>) -> Result<Self, String> {
        let Some(origin) = child(of, "origin") else { return Ok(HERE) };
        let [roll, pitch, yaw] =
            numbers(origin, "rpy")?.unwrap_or_default().map(|a: f64| (0.5 * a).sin_cos());
        let ((sr, cr), (sp, cp), (sy, cy)) = (roll, pitch, yaw);
        let turn = [
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        ];
        Ok(Self { at: numbers(origin, "xyz")?.unwrap_or_default(), turn })
    }

    /// A pose against this one, against this one's parent.
    fn then(self, inner: Self) -> Self {
        let [x, y, z, w] = self.turn;
        let [a, b, c, d] = inner.turn;
        let v = inner.at;
        // v + 2 q × (q × v + w v), q being the rotation's vector part.
        let cross = |u: [f64; 3], v: [f64; 3]| {
            [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
        };
        let q = [x, y, z];
        let mut t = cross(q, v);
        (0..3).for_each(|i| t[i] += w * v[i]);
        let t = cross(q, t);
        Self {
            at: [0, 1, 2].map(|i| self.at[i] + v[i] + 2.0 * t[i]),
            turn: [
                w * a + x * d + y * c - z * b,
                w * b - x * c + y * d + z * a,
                w * c + x * b - y * a + z * d,
                w * d - x * a - y * b - z * c,
            ],
        }
    }
}

fn child<'a, 'i>(of: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    of.children().find(|n| n.has_tag_name(name))
}

/// Numbers of an attribute; `None` where it has none.
fn numbers<const N: usize>(of: Node<'_, '_>, attribute: &str) -> Result<Option<[f64; N]>, String> {
    let Some(text) = of.attribute(attribute) else { return Ok(None) };
    let found: Vec<f64> = text.split_whitespace().map_while(|v| v.parse().ok()).collect();
    match <[f64; N]>::try_from(found) {
        Ok(numbers) if numbers.iter().all(|v| v.is_finite()) => Ok(Some(numbers)),
        _ => Err(format!("{} of {}: found {text:?}, expected {N} numbers", attribute, of.tag_name().name())),
    }
}

fn named(of: Node<'_, '_>, attribute: &str) -> Result<String, String> {
    let name = of.attribute(attribute);
    name.map(str::to_owned).ok_or_else(|| format!("a {} without {attribute}", of.tag_name().name()))
}

impl Description {
    /// Reads a URDF.
    ///
    /// # Errors
    /// One line on what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document = Document::parse(text).map_err(|e| e.to_string())?;
        let robot = document.root_element();
        let colours = robot
            .children()
            .filter(|n| n.has_tag_name("material"))
            .map(|m| Ok((named(m, "name")?, colour(m)?)))
            .collect::<Result<BTreeMap<_, _>, String>>()?;
        // Parent and pose by child.
        let mut joints = BTreeMap::new();
        for joint in robot.children().filter(|n| n.has_tag_name("joint")) {
            let end = |name: &str| {
                child(joint, name)
                    .ok_or_else(|| format!("a joint without {name}"))
                    .and_then(|n| named(n, "link"))
            };
            joints.insert(end("child")?, (end("parent")?, Pose::origin(joint)?));
        }
        let mut out = Self::default();
        for link in robot.children().filter(|n| n.has_tag_name("link")) {
            let name = named(link, "name")?;
            if !joints.contains_key(&name) && out.root.is_empty() {
                out.root.clone_from(&name);
            }
            let place = place(&name, &joints)?;
            for visual in link.children().filter(|n| n.has_tag_name("visual")) {
                let pose = place.then(Pose::origin(visual)?);
                let Some(shape) = shape(visual)? else {
                    out.meshes += 1;
                    continue;
                };
                let material = child(visual, "material");
                let own = material.map(colour).transpose()?.flatten();
                let by_name = || colours.get(material?.attribute("name")?).copied().flatten();
                out.visuals.push(Visual {
                    link: name.clone(),
                    shape,
                    at: pose.at.map(|v| v as f32),
                    turn: pose.turn.map(|v| v as f32),
                    colour: own.or_else(by_name),
                });
            }
        }
        if out.root.is_empty() {
            return Err("no link is the root".into());
        }
        Ok(out)
    }
}

/// Where a link is against the root.
fn place(link: &str, joints: &BTreeMap<String, (String, Pose)>) -> Result<Pose, String> {
    let mut pose = HERE;
    let mut at = link;
    for _ in 0..=joints.len() {
        let Some((parent, step)) = joints.get(at) else { return Ok(pose) };
        pose = step.then(pose);
        at = parent;
    }
    Err(format!("the joints above {link} form a ring"))
}

fn shape(visual: Node<'_, '_>) -> Result<Option<Shape>, String> {
    let Some(geometry) = child(visual, "geometry") else { return Ok(None) };
    let one = |of: Node<'_, '_>, name: &str| match numbers::<1>(of, name)? {
        Some([v]) => Ok(v as f32),
        None => Err(format!("a {} without {name}", of.tag_name().name())),
    };
    if let Some(b) = child(geometry, "box") {
        let size = numbers::<3>(b, "size")?.ok_or("a box without size")?;
        return Ok(Some(Shape::Box(size.map(|v| v as f32))));
    }
    if let Some(c) = child(geometry, "cylinder") {
        return Ok(Some(Shape::Cylinder { radius: one(c, "radius")?, length: one(c, "length")? }));
    }
    if let Some(s) = child(geometry, "sphere") {
        return Ok(Some(Shape::Sphere { radius: one(s, "radius")? }));
    }
    Ok(None)
}

fn colour(material: Node<'_, '_>) -> Result<Option<Colour>, String> {
    let Some(colour) = child(material, "color") else { return Ok(None) };
    let rgba = numbers::<4>(colour, "rgba")?;
    Ok(rgba.map(|c| c.map(|v| (255.0 * v.clamp(0.0, 1.0)).round() as u8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: &str = r#"<?xml version="1.0"?>
<robot name="r">
  <material name="blue"><color rgba="0 0 1 0.5"/></material>
  <link name="base"><visual><geometry><cylinder radius="0.2" length="0.1"/></geometry><material name="blue"/></visual></link>
  <joint name="a" type="fixed"><parent link="base"/><child link="arm"/><origin xyz="1 0 0" rpy="0 0 1.5707963267948966"/></joint>
  <link name="arm"><visual><origin xyz="0.5 0 0.25"/><geometry><box size="1 0.1 0.1"/></geometry></visual></link>
  <joint name="b" type="revolute"><parent link="arm"/><child link="hand"/><origin xyz="1 0 0" rpy="1.5707963267948966 0 0"/></joint>
  <link name="hand"><visual><origin xyz="0 0 0.5"/><geometry><sphere radius="0.05"/></geometry></visual>
    <visual><geometry><mesh filename="package://x/y.stl"/></geometry></visual></link>
</robot>"#;

    fn near(a: &[f32], b: &[f32]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn visuals_stand_where_the_joints_put_them() {
        let d = Description::parse(ARM).unwrap();
        assert_eq!((d.root.as_str(), d.visuals.len(), d.meshes), ("base", 3, 1));
        assert_eq!(d.visuals[0].colour, Some([0, 0, 255, 128]));
        assert_eq!(d.visuals[1].shape, Shape::Box([1.0, 0.1, 0.1]));
        // The arm goes from x = 1 along y.
        assert!(near(&d.visuals[1].at, &[1.0, 0.5, 0.25]), "{:?}", d.visuals[1]);
        let half = std::f32::consts::FRAC_1_SQRT_2;
        assert!(near(&d.visuals[1].turn, &[0.0, 0.0, half, half]));
        // The hand is at the arm's end; rolled about the arm's x axis, its own z looks along the map's x.
        assert!(near(&d.visuals[2].at, &[1.5, 1.0, 0.0]), "{:?}", d.visuals[2]);
        assert!(near(&d.visuals[2].turn, &[0.5, 0.5, 0.5, 0.5]), "{:?}", d.visuals[2]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let wrong = |from: &str, to: &str| Description::parse(&ARM.replace(from, to)).unwrap_err();
        assert!(wrong("xyz=\"1 0 0\" rpy=\"0 0", "xyz=\"1 0\" rpy=\"0 0").contains("expected 3 numbers"));
        assert!(wrong("radius=\"0.2\" ", "").contains("a cylinder without radius"));
        assert!(wrong("<parent link=\"base\"/>", "<parent link=\"hand\"/>").contains("form a ring"));
        assert!(Description::parse("<robot/>").unwrap_err().contains("root"));
        assert!(Description::parse("robot").is_err());
    }
}
