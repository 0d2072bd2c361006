"""The reviewer's page: the service layer over HTTP, and the files that a browser runs."""
