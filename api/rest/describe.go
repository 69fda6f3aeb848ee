package rest

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"revenant/api/wire"
)

// describe completes the document: problems of ours stand where huma describes its
// own, and what is true of every operation stands at each. It gathers the names
// that errors may repeat.
func (s *server) describe() {
	doc := s.api.OpenAPI()
	ours := doc.Components.Schemas.Schema(typeOf[wire.Problem](), true, "Problem")
	s.words, s.inputs = map[string]bool{}, map[string][]string{}
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			for status, answer := range op.Responses {
				if status >= "4" && answer.Content != nil {
					answer.Content = map[string]*huma.MediaType{wire.ProblemType: {Schema: ours}}
				}
				if status == "429" || status == "503" {
					answer.Headers = map[string]*huma.Param{"Retry-After": {Description: "Seconds.", Schema: &huma.Schema{Type: huma.TypeInteger}}}
				}
			}
			s.takes(op)
		}
	}
	schemas := doc.Components.Schemas.Map()
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} {
		delete(schemas, unused)
	}
	for _, schema := range schemas {
		for name := range schema.Properties {
			s.words[name] = true
		}
	}
}

// takes gathers what an operation takes by name, and says of its body what is so of
// all: a property that may be left out may be null as well.
func (s *server) takes(op *huma.Operation) {
	for _, p := range op.Parameters {
		s.words[p.Name] = true
		s.inputs[op.OperationID] = append(s.inputs[op.OperationID], p.Name)
	}
	if op.RequestBody == nil {
		return
	}
	for _, kind := range op.RequestBody.Content {
		body := kind.Schema
		if body.Ref != "" {
			body = s.api.OpenAPI().Components.Schemas.SchemaFromRef(body.Ref)
		}
		for name, p := range body.Properties {
			s.inputs[op.OperationID] = append(s.inputs[op.OperationID], name)
			if p.Ref == "" && !slices.Contains(body.Required, name) {
				p.Nullable = true
			}
		}
	}
}

// calledElsewhere are names that the registry has for inputs, as flags and arguments
// of the command line are called, and those that operations have for them.
func calledElsewhere() map[string]string {
	return map[string]string{
		"TO": "to", "NAME": "name", "secret": "name", "against": "checkpoint", "expires": "expires_at", "scope": "scopes", "accept-skip": "accept_skip",
	}
}

// inputAt points to an input of an operation by the name that the registry has for
// it; to the whole where the operation has none of that name.
func (s *server) inputAt(operation, input string) string {
	for _, name := range []string{input, calledElsewhere()[input]} {
		if slices.Contains(s.inputs[operation], name) {
			return "/" + name
		}
	}
	return ""
}

// inTypes is a success that is no JSON: text or bytes of some types.
func inTypes(description string, kinds ...string) *huma.Response {
	content := map[string]*huma.MediaType{}
	for _, kind := range kinds {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return &huma.Response{Description: description, Content: content}
}
