//! What templates write numbers and texts with: `{{ miner.total|percent }}`.
//!
//! A text from outside the program goes through `clean`, `short` or `words`. That it cannot become markup is the
//! templates' own doing: they escape all that is not a template or a drawing itself.

#![expect(unreachable_pub, reason = "the filters' macro writes public methods")]

use super::svg::{self, Svg};
use super::text;
use askama::{Result, Values};
use std::fmt::Display;

/// Letters of a hotkey that are shown.
pub(crate) const HOTKEY: usize = 10;
/// Digits of a digest that are shown.
const DIGEST: usize = 8;
/// Letters of a transaction's hash that are shown.
const HASH: usize = 12;

/// A number, or a reference to one: templates pass either.
pub(crate) trait Real {
    /// The number.
    fn real(&self) -> f64;
}

impl Real for f64 {
    fn real(&self) -> f64 {
        *self
    }
}

impl<T: Real + ?Sized> Real for &T {
    fn real(&self) -> f64 {
        (**self).real()
    }
}

/// A text from outside.
#[askama::filter_fn]
pub(crate) fn clean(text: impl Display, _: &dyn Values) -> Result<String> {
    Ok(text::clean(&text.to_string()))
}

/// A hotkey's first letters.
#[askama::filter_fn]
pub(crate) fn short(hotkey: impl Display, _: &dyn Values) -> Result<String> {
    Ok(text::short(&hotkey.to_string(), HOTKEY))
}

/// A snake_case name as words.
#[askama::filter_fn]
pub(crate) fn words(name: impl Display, _: &dyn Values) -> Result<String> {
    Ok(text::words(&name.to_string()))
}

/// A part of a whole.
#[askama::filter_fn]
pub(crate) fn percent(part: impl Real, _: &dyn Values) -> Result<String> {
    Ok(text::percent(part.real()))
}

/// By how much a part of a whole has grown, with its sign.
#[askama::filter_fn]
pub(crate) fn signed(change: impl Real, _: &dyn Values) -> Result<String> {
    let change = change.real();
    let sign = if change < 0.0 { "−" } else { "+" };
    Ok(format!("{sign}{}", text::percent(change.abs())))
}

/// Any number.
#[askama::filter_fn]
pub(crate) fn number(value: impl Real, _: &dyn Values) -> Result<String> {
    Ok(text::number(value.real()))
}

/// A whole number.
#[askama::filter_fn]
pub(crate) fn count(number: impl Display, _: &dyn Values) -> Result<String> {
    Ok(text::count(number))
}

/// A whole number with its noun.
#[askama::filter_fn]
pub(crate) fn plural(number: impl Display, _: &dyn Values, one: &str, more: &str) -> Result<String> {
    Ok(text::plural(number, one, more))
}

/// A bar that is filled to a part, 0 to 1.
#[askama::filter_fn]
pub(crate) fn bar(part: impl Real, _: &dyn Values) -> Result<Svg> {
    Ok(svg::bar(part.real()))
}

/// A digest's first digits.
#[askama::filter_fn]
pub(crate) fn digest(digest: impl Display, _: &dyn Values) -> Result<String> {
    Ok(text::short(&digest.to_string(), DIGEST))
}

/// The first letters of a transaction's hash.
#[askama::filter_fn]
pub(crate) fn hash(hash: impl Display, _: &dyn Values) -> Result<String> {
    Ok(text::short(&hash.to_string(), HASH))
}
