//! A message type's support, loaded by the type's name.

use std::path::PathBuf;

use libloading::Library;
use r2r_rcl::rosidl_message_type_support_t;

/// A type's support; it lives in a library that stays loaded.
pub(super) struct TypeSupport {
    handle: *const rosidl_message_type_support_t,
    /// `handle` points into it.
    _library: Library,
}

impl TypeSupport {
    /// Of a type by its full name, `sensor_msgs/msg/Image`. The library is looked for where the loader looks, and in `lib` of
    /// each prefix of `AMENT_PREFIX_PATH`.
    ///
    /// # Errors
    /// One line where the name is none, or no package has the type.
    #[allow(unsafe_code)]
    pub fn load(type_name: &str) -> Result<Self, String> {
        let parts: Vec<&str> = type_name.split('/').collect();
        let &[package, kind, name] = parts.as_slice() else {
            return Err(format!("{type_name:?} is no type: expected one like std_msgs/msg/String"));
        };
        let file = format!("lib{package}__rosidl_typesupport_c.so");
        let places = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
        let places = std::env::split_paths(&places).map(|prefix| prefix.join("lib").join(&file));
        // SAFETY: libraries that rosidl makes of interface packages; what they do when they are loaded is to register
        // nothing but their own type support.
        let library = places
            .chain([PathBuf::from(&file)])
            .find_map(|path| unsafe { Library::new(path) }.ok())
            .ok_or_else(|| format!("{type_name}: no {file} here; source the workspace that has {package}"))?;
        let symbol =
            format!("rosidl_typesupport_c__get_message_type_support_handle__{package}__{kind}__{name}");
        // SAFETY: rosidl gives this name to functions of this signature alone.
        let get = unsafe {
            library.get::<unsafe extern "C" fn() -> *const rosidl_message_type_support_t>(symbol.as_bytes())
        };
        let get = get.map_err(|_| format!("{type_name}: package {package} has no such type"))?;
        // SAFETY: it takes nothing and gives a pointer to a static of the library.
        let handle = unsafe { get() };
        if handle.is_null() {
            return Err(format!("{type_name}: its type support cannot be loaded"));
        }
        Ok(Self { handle, _library: library })
    }

    pub fn handle(&self) -> *const rosidl_message_type_support_t {
        self.handle
    }
}
