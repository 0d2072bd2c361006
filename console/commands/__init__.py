"""The groups of the `signpost` command, one file each; a file offers `app: typer.Typer`."""
