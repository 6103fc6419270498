document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-path]");
  if (!button || !confirm("Delete the group " + button.dataset.group + "?\nIts series end at every remote.")) return;
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.path, { method: "DELETE" });
    if (!answer.ok) throw new Error(answer.status + ": " + (await answer.text()));
    location.reload();
  } catch (error) {
    button.disabled = false;
    alert("It was not deleted: " + error.message);
  }
});
