-- +goose Up
ALTER TABLE workers ADD COLUMN scans TEXT NOT NULL DEFAULT ''; -- JSON: what it is scanning, and how far that is.
