//! What all pages share: head, navigation, foot.

use crate::sections::RenderError;
use crate::sections::assets::{SCRIPT, STYLE};
use crate::sections::filters;
use askama::Template;

/// The pages that the navigation names: address and words.
const PLACES: [(&str, &str); 5] = [
    ("/", "Overview"),
    ("/leaderboard", "Leaderboard"),
    ("/challenges", "Challenges"),
    ("/weights", "Weights"),
    ("/configuration", "Configuration"),
];

/// What a page tells its frame, `templates/frame.html`.
pub(super) struct Frame {
    pub(super) title: String,
    /// The address in the navigation that the page belongs to.
    pub(super) here: &'static str,
}

impl Frame {
    pub(super) fn new(title: impl Into<String>, here: &'static str) -> Self {
        Self { title: title.into(), here }
    }

    pub(super) fn places(&self) -> [(&str, &str); 5] {
        PLACES
    }

    pub(super) fn style(&self) -> String {
        STYLE.address()
    }

    pub(super) fn script(&self) -> String {
        SCRIPT.address()
    }

    pub(super) fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    status: u16,
    message: &'a str,
}

/// The page of a request that is not answered: an HTTP status, and what is wrong as a sentence.
///
/// # Errors
/// If the template cannot be filled.
pub fn error_page(status: u16, message: &str) -> Result<String, RenderError> {
    let title = match status {
        400 => "Not understood",
        404 => "Not found",
        405 => "Not allowed",
        413 | 414 | 431 => "Too much",
        503 => "Not ready",
        500.. => "Something is wrong here",
        _ => "Not answered",
    };
    Ok(ErrorPage { frame: Frame::new(title, ""), status, message }.render()?)
}
