//! access-relay-companion: what helps with the relay, before it is deployed and when a request fails. Texts in, findings out; no I/O, no
//! clock.
//!
//! It reads `RELAY` by the core's own rules, never by a second reading of them. Modules, the lowest first: each uses only
//! those that stand before it here.

pub mod findings; // what a check comes to
pub mod suffixes; // the whole Public Suffix List
pub mod wrangler; // a wrangler file, read
pub mod spans; // where its parts stand
pub mod marked; // a finding, as people read it
pub mod surroundings {
    //! What stands around `RELAY` in a wrangler file, and opens a door past it.

    pub mod around; // an environment, with what it inherits
    pub mod doors; // doors past Access, and past the caller check
    pub mod ways; // the way of a request, from the Worker's routes to the APIs
    pub mod secrets; // the secrets and the bindings that RELAY needs
    pub mod local; // the files of secrets on this machine
    pub mod examples; // what was left as a template has it
    pub mod all; // all of it
}
pub mod check; // a wrangler file, in whole
pub mod shapes; // what the texts of RELAY look like, for a schema
pub mod rules; // what its keys ask of each other, for a schema
pub mod schema; // the shape of RELAY, for editors and for TypeScript
pub mod document; // a configuration file, written
pub mod edit {
    //! A configuration file that is there, with new parts.

    pub mod text; // changes to a text
    pub mod toml; // new parts in TOML
    pub mod jsonc; // new parts in JSON with comments
    pub mod file; // a wrangler file, changed
}
pub mod forms; // the forms of a project, and which one fits
pub mod project; // a project's wrangler file
pub mod addresses; // a page and an API, and what to ask of them
pub mod metadata; // what Access says of a URL
pub mod shown; // what may be shown of a message
pub mod headers; // a message's headers, as the core decides on them
pub mod answers; // an answer, as a program saw it
pub mod view; // an address, and what stands in front of it
pub mod look; // what all of it means
pub mod fetch; // what a browser does for a page, and concludes
pub mod har {
    //! What failed in a recorded session of a browser, and why.

    pub mod lenient; // JSON of somebody else's
    pub mod file; // the recording
    pub mod private; // what of it nobody else should see
    pub mod exchange; // what was exchanged, and who has answered
    pub mod console; // what the browser's console says
    pub mod cause; // why something fails: a closed list
    pub mod find; // and which of it is the case
    pub mod besides; // what else is wrong
    pub mod heard; // what only the console tells
    pub mod causes; // all of them, the worst first
    pub mod report; // all of it
    pub mod told; // as people read it
    pub mod safe; // a copy to share
}
pub mod explain {
    //! One request, decided step by step.

    pub mod address; // an address, as browsers send it
    pub mod shell; // a command line, taken apart
    pub mod request; // a request that is asked about
    pub mod curl; // a curl command as one
    pub mod recorded; // an entry of a HAR as one
    pub mod who; // who calls
    pub mod world; // what the caller check needs
    pub mod upstream; // what the API gets
    pub mod flow; // box by box
    pub mod asked; // a question, read
    pub mod token; // tokens, taken apart
    pub mod mend; // what to change
    pub mod advice; // what else to do
    pub mod words; // what a browser's console says
    pub mod explanation; // the answer
    pub mod told; // as people read it
}
pub mod doctor {
    //! A live deployment, looked at from outside.

    pub mod code; // what it looks for: a closed list
    pub mod came; // what came of a question
    pub mod subject; // what is looked at
    pub mod seen; // what came so far
    pub mod plan; // what to ask next
    pub mod check; // a line of the report
    pub mod page; // the page's application, and the path's
    pub mod relay; // the relay, met by strangers
    pub mod api; // the API
    pub mod person; // the relay, met by a person
    pub mod around; // other doors
    pub mod report; // all of it
    pub mod told; // as people read it
}
pub mod import {
    //! A policy that somebody has elsewhere, moved here.

    pub mod term; // a value, or what stands in its place
    pub mod yaml; // values in YAML
    pub mod found; // what an application says
    pub mod access; // an application of Access
    pub mod fusionauth; // FusionAuth's system configuration
    pub mod terraform; // what Terraform shows of resources
    pub mod hcl; // resources in Terraform's own language
    pub mod traefik; // Traefik's headers middleware
    pub mod sample; // Cloudflare's sample Workers
    pub mod sheet; // what is said of each key
    pub mod policy; // from their policy to RELAY's
    pub mod tables; // RELAY, with comments
    pub mod moved; // the text, held to the core's own rules
    pub mod file; // a file of whatever kind
    pub mod write; // the tables, in a wrangler file
}
