"""Amazon Redshift, or the local one: on its wire protocol through redshift-connector, or by its Data API."""
