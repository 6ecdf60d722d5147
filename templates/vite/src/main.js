// With this header, Access answers an ended session with a 401 that the page can read.
const answer = await fetch("/api/", { headers: { "X-Requested-With": "XMLHttpRequest" } });
document.querySelector("output").textContent = `${answer.status} ${await answer.text()}`;
