package registration

// For the fuzz test of the row format.
var (
	MarshalEntry = marshalEntry
	ParseEntry   = parseEntry
)
