//! One entry of the history, told again: as text and as a page.

mod page;
mod row;
mod svg;
mod text;
mod words;

pub(crate) use self::{
    page::page,
    text::text,
    words::{numbered, when},
};

#[cfg(test)]
mod tests;
