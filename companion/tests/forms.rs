//! Which form fits a folder.

use access_relay_companion::forms::{Folder, Form};

fn folder(files: &[&str], package: &str, wrangler: Option<(&str, &str)>) -> Folder {
    Folder {
        files: files.iter().map(|file| (*file).to_owned()).collect(),
        package: (!package.is_empty()).then(|| package.to_owned()),
        wrangler: wrangler.map(|(name, text)| (name.to_owned(), text.to_owned())),
        script: None,
    }
}

#[test]
fn the_form_that_fits() {
    let vite = r#"{"devDependencies": {"vite": "^8"}}"#;
    let plugin = r#"{"dependencies": {"@cloudflare/vite-plugin": "^1", "vite": "^8"}}"#;
    let toml = "wrangler.toml";
    #[rustfmt::skip]
    let table: Vec<(Folder, Form, Option<&str>, bool)> = vec![
        (folder(&[], "", None), Form::Route, None, false),
        // What `npm install access-relay` leaves behind is a new folder still.
        (folder(&["package.json", "package-lock.json", "node_modules", ".git", "README.md"], r#"{"dependencies": {"access-relay": "file:x"}}"#, None), Form::Route, None, false),
        (folder(&["access-relay-0.1.0.tgz", "package.json"], "{}", None), Form::Route, None, false),
        (folder(&["access-relay-notes", "package.json"], "{}", None), Form::Route, None, true),
        (folder(&["app-0.1.0.tgz", "package.json"], "{}", None), Form::Route, None, true),
        (folder(&["package.json", "src"], "{}", None), Form::Route, None, true),
        // What is in public is not the page before it is built.
        (folder(&["package.json", "public", "public/index.html"], r#"{"scripts": {"build": "react-scripts build"}}"#, None), Form::Route, None, true),
        (folder(&["package.json", "public", "public/index.html", "dist", "dist/index.html"], r#"{"scripts": {"build": "x"}}"#, None), Form::Assets, Some("dist"), true),
        (folder(&["vite.config.ts"], "", None), Form::Vite, None, true),
        (folder(&["package.json", "index.html"], vite, None), Form::Vite, None, true),
        (folder(&["package.json", "functions"], plugin, None), Form::Vite, None, true),
        (folder(&["package.json", "functions"], vite, None), Form::Pages, None, true),
        (folder(&["functions", "public", "public/index.html"], "", None), Form::Pages, Some("public"), true),
        (folder(&[toml], vite, Some((toml, "pages_build_output_dir = \"dist\""))), Form::Pages, None, true),
        (folder(&[toml], vite, Some((toml, "main = \"src/index.ts\""))), Form::Wrap, None, true),
        (folder(&[toml], plugin, Some((toml, "main = \"src/index.ts\""))), Form::Vite, None, true),
        (folder(&["wrangler.jsonc"], "", Some(("wrangler.jsonc", "{ // its files\n \"assets\": { \"directory\": \"dist\" } }"))), Form::Assets, None, true),
        (folder(&["public", "public/index.html"], "", None), Form::Assets, Some("public"), true),
        (folder(&["dist", "dist/index.html"], "", None), Form::Assets, Some("dist"), true),
        (folder(&["public", "public/favicon.ico"], "", None), Form::Route, None, true),
        // What init has written before.
        (folder(&[toml], "", Some((toml, "main = \"node_modules/access-relay/build/index.js\""))), Form::Route, None, true),
        (folder(&[toml, "public", "public/index.html"], "", Some((toml, "main = \"../../node_modules/access-relay/build/index.js\"\n[assets]\ndirectory = \"public\""))), Form::Assets, Some("public"), true),
        // What cannot be read tells nothing.
        (folder(&["package.json", toml], "{", Some((toml, "main ="))), Form::Route, None, true),
    ];
    for (index, (folder, form, assets, project)) in table.into_iter().enumerate() {
        let fit = folder.fit();
        assert_eq!((fit.form, fit.assets.as_deref(), fit.project), (form, assets, project), "{index}: {}", fit.why);
    }
}

#[test]
fn what_the_wrangler_file_has_already() {
    let with = |text: &str| folder(&["wrangler.toml"], "", Some(("wrangler.toml", text))).fit();
    let ours = with(
        "# node_modules/access-relay/docs/configuration.md says\nmain = \"src/x.ts\"\n[vars.RELAY]\nlog = \"requests\"\n",
    );
    assert!(ours.ours && ours.relay && ours.main.as_deref() == Some("src/x.ts"), "{ours:?}");
    let theirs = with("name = \"mine\"\n[vars]\nOTHER = 1\n");
    assert!(!theirs.ours && !theirs.relay && theirs.main.is_none(), "{theirs:?}");
}

#[test]
fn a_form_is_read_by_its_name() {
    for (name, form) in Form::ALL {
        assert_eq!(Form::parse(name), Ok(form));
    }
    assert_eq!(
        Form::parse("Route"),
        Err("--form: found \"Route\"; write one of route, assets, wrap, pages, vite".to_owned())
    );
}
