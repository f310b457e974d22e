"""Tell PyInstaller of modules that are imported late, and of the bundled models."""  # noqa: N999

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

# Runtimes, sinks and commands are named in registries; what of them is not installed is left out.
hiddenimports = collect_submodules("edge", filter=lambda name: "_pyinstaller" not in name)
datas = collect_data_files("edge")
