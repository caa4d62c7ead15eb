//! Pictures kept: PNG files that carry their settings.
