-- +goose Up
ALTER TABLE workers ADD COLUMN scans TEXT COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN workers.scans IS 'JSON: what it is scanning, and how far that is.';
