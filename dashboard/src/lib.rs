//! The files of the dashboard, embedded in the program. Knows no socket: whoever serves them asks for a path.
//!
//! The page is TypeScript, in `app/`, and is bundled by `npm run build`. If that was not done before cargo built this
//! crate, the only file is a page which says so.

#![forbid(unsafe_code)]

/// A file as a server sends it.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// The value of the header `Content-Type`.
    pub content_type: &'static str,
    /// The file itself.
    pub bytes: &'static [u8],
    /// The value of the header `ETag`, with its quotes: it changes when the bytes do.
    pub etag: &'static str,
}

/// By name, without a slash before it.
const FILES: &[(&str, File)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The file at a path of the server, such as `/app.js`; `/` is the page itself. No path leads outside of what is
/// embedded, whatever it has in it.
///
/// ```
/// let page = rusm_dashboard::file("/").unwrap();
/// assert_eq!(page.content_type, "text/html; charset=utf-8");
/// assert!(rusm_dashboard::file("/../secret").is_none());
/// ```
pub fn file(path: &str) -> Option<File> {
    let name = match path.strip_prefix('/').unwrap_or(path) {
        "" => "index.html",
        name => name,
    };
    let (_, file) = FILES.iter().find(|(known, _)| *known == name)?;
    Some(*file)
}

/// Whether the whole page is there, and not only the one that says how to build it.
pub fn is_built() -> bool {
    file("app.js").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_page() {
        let page = file("/").unwrap();
        assert!(page.bytes.starts_with(b"<!doctype html>"));
        for path in ["", "index.html", "/index.html"] {
            assert_eq!(file(path).unwrap().etag, page.etag, "{path}");
        }
    }

    #[test]
    fn everything_that_the_page_names_is_there() {
        let page = String::from_utf8(file("/").unwrap().bytes.to_vec()).unwrap();
        for name in ["app.js", "app.css", "favicon.svg"] {
            assert_eq!(page.contains(name), is_built(), "{name}");
            assert_eq!(file(name).is_some(), is_built(), "{name}");
        }
    }

    #[test]
    fn nothing_else_is_there() {
        for path in ["//", "/app.js/", "/../Cargo.toml", "/src/lib.rs", "/App.js"] {
            assert!(file(path).is_none(), "{path}");
        }
    }

    #[test]
    fn an_etag_is_quoted_and_belongs_to_one_file() {
        for (name, file) in FILES {
            assert!(
                file.etag.starts_with('"') && file.etag.ends_with('"'),
                "{name}"
            );
            let same = FILES.iter().filter(|(_, other)| other.etag == file.etag);
            assert_eq!(same.count(), 1, "{name}");
        }
    }
}
