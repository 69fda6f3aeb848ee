package rest

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"revenant/fingerprints"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// Document is the API in OpenAPI 3.1, as it is served.
func Document() ([]byte, error) {
	s := newServer(chi.NewRouter(), Options{Token: fingerprints.Value{}})
	b, err := s.api.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, b, "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

func operations(item *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete}, func(op *huma.Operation) bool { return op == nil })
}

// made answers with what is made once, when it is asked for first: anybody may ask.
func made(kind string, what func() ([]byte, error)) http.HandlerFunc {
	once := sync.OnceValues(what)
	return func(w http.ResponseWriter, _ *http.Request) {
		b, err := once()
		if err != nil {
			http.Error(w, "Internal error.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		_, _ = w.Write(b)
	}
}

//go:embed docs.html
var docsPage string

// docs is the document as a page, without a script and without a request to
// anywhere.
func (s *server) docs() ([]byte, error) {
	page, err := template.New("docs").Parse(docsPage)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, s.pageOf())
	return b.Bytes(), err
}

// docGroup is a chapter of the page.
type docGroup struct {
	Name       string
	Operations []docOperation
}

type docOperation struct {
	ID, Method, Path, Summary, Long, Scope string
	Parameters                             []*huma.Param
	Body, Answer                           []docField
	Errors                                 string
}

type docField struct{ Name, Type, Doc string }

func (s *server) pageOf() []docGroup {
	groups := map[string]*docGroup{}
	for path, item := range s.api.OpenAPI().Paths {
		for _, op := range operations(item) {
			g := groups[op.Tags[0]]
			if g == nil {
				g = &docGroup{Name: op.Tags[0]}
				groups[op.Tags[0]] = g
			}
			g.Operations = append(g.Operations, s.docOf(path, op))
		}
	}
	out := []docGroup{}
	for _, g := range groups {
		slices.SortFunc(g.Operations, func(a, b docOperation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b docGroup) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (s *server) docOf(path string, op *huma.Operation) docOperation {
	d := docOperation{ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary, Long: op.Description, Parameters: op.Parameters}
	for _, scheme := range op.Security {
		d.Scope = strings.Join(scheme[tokenScheme], ", ")
	}
	if op.RequestBody != nil {
		for _, m := range op.RequestBody.Content {
			d.Body = s.fields(m.Schema)
		}
	}
	var codes []string
	for status, answer := range op.Responses {
		if status >= "4" {
			codes = append(codes, status)
			continue
		}
		for _, m := range answer.Content {
			d.Answer = s.fields(m.Schema)
		}
	}
	slices.Sort(codes)
	d.Errors = strings.Join(codes, " ")
	return d
}

// fields are the properties of an object.
func (s *server) fields(schema *huma.Schema) []docField {
	if schema == nil {
		return nil
	}
	if schema.Ref != "" {
		schema = s.api.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	var out []docField
	for name, p := range schema.Properties {
		f := docField{Name: name, Type: p.Type, Doc: p.Description}
		if p.Ref != "" {
			f.Type = p.Ref[strings.LastIndexByte(p.Ref, '/')+1:]
		}
		if p.Items != nil {
			f.Type = cmp.Or(p.Items.Type, p.Items.Ref[strings.LastIndexByte(p.Items.Ref, '/')+1:]) + "[]"
		}
		if len(p.Enum) > 0 {
			words := make([]string, len(p.Enum))
			for i, w := range p.Enum {
				words[i], _ = w.(string)
			}
			f.Type = strings.Join(words, " | ")
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b docField) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
