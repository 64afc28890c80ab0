"""Schema versions, applied by `sandglass.store.db.migrate`."""
