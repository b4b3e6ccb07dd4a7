"""The object store on Amazon S3, or a server that speaks as it does."""
