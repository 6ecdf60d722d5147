"""A window of WebKitGTK for its WebDriver. Console messages go to the file that $CONSOLE names."""

import os

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

VERSION = (WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())

out = os.open(os.environ["CONSOLE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
for stream in (1, 2):
    os.dup2(out, stream)

# A session on disk: in one that is not, as automation has by default, the console reaches nobody.
home = os.environ["HOME"]
data = WebKit2.WebsiteDataManager(base_data_directory=f"{home}/data", base_cache_directory=f"{home}/cache")
data.set_tls_errors_policy(WebKit2.TLSErrorsPolicy.IGNORE)
# As the other engines are set: else no request of a foreign page has the login, and nothing is proven.
data.set_itp_enabled(False)
data.get_cookie_manager().set_accept_policy(WebKit2.CookieAcceptPolicy.ALWAYS)
context = WebKit2.WebContext(website_data_manager=data)
context.set_automation_allowed(True)
os.mkdir(f"{home}/Downloads")
windows = []


def save(download, name):
    download.set_destination(f"file://{home}/Downloads/{name}")
    return True


context.connect("download-started", lambda context, download: download.connect("decide-destination", save))


def open_window(opener=None):
    settings = WebKit2.Settings(
        enable_write_console_messages_to_stdout=True, javascript_can_open_windows_automatically=True
    )
    # A window that a page opens is controlled as its opener is.
    place = {"related_view": opener} if opener else {"web_context": context, "is_controlled_by_automation": True}
    view = WebKit2.WebView(settings=settings, **place)
    window = Gtk.Window(default_width=1280, default_height=1000)
    window.add(view)
    window.show_all()
    windows.append(window)
    view.connect("create", lambda view, action: open_window(view))
    view.connect("close", lambda view: window.destroy())
    return view


def started(context, session):
    info = WebKit2.ApplicationInfo()
    info.set_name("WebKitGTK")
    info.set_version(*VERSION)
    session.set_application_info(info)
    session.connect("create-web-view", lambda session: open_window())


context.connect("automation-started", started)
Gtk.main()
