//! What the pages for administrators and users share. The pages use the same operations as the JSON routes, and add
//! only wording and looks.

mod device;
mod failure;
mod frame;
mod history;
mod look;
mod mount;
mod person;
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
    person::Person,
    shown::Shown,
    style::{stylesheet, stylesheet_route},
    trouble::Trouble,
    view::{SessionTable, SessionView},
    visit::{FormFields, Visit, no_query, refuse_person},
};
