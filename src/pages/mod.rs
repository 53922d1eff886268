//! What the pages for administrators and those for users have in common. They stand on the same calls as the JSON, and
//! add words, looks and nothing else.

mod device;
mod failure;
mod frame;
mod history;
mod look;
mod mount;
mod shown;
mod style;
mod trouble;
mod view;
mod visit;
mod when;

pub use self::{device::device_name, look::PageLook};
pub(crate) use self::{
    failure::as_pages,
    frame::{Frame, Site, Step, html},
    history::History,
    mount::with_query,
    shown::Shown,
    style::{stylesheet, stylesheet_route},
    trouble::Trouble,
    view::{SessionTable, SessionView},
    visit::{FormFields, Visit, no_query, refuse_person},
};
