#![no_main]

use url::Url;

// Takes all of it for the page to go to after a sign-in: a browser that is sent there stays on the site.
libfuzzer_sys::fuzz_target!(|next: &str| {
    let Some(path) = countersign::local_path(next) else {
        return;
    };
    assert_eq!(path, next, "it comes back as it is");
    for page in ["https://app.example/", "http://localhost:3000/a/b?c#d"] {
        let page = Url::parse(page).unwrap();
        let there = page.join(path).unwrap();
        assert_eq!(there.origin(), page.origin(), "a browser leaves the site");
        assert_eq!(page.join(there.path()).unwrap().origin(), page.origin());
    }
});
