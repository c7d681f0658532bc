"""The comparison of chat and publish-subscribe servers under one load generator, for compare."""
