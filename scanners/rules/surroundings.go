package rules

import (
	"path"
	"strings"
)

// surroundings is what a path says of the values below it.
type surroundings struct {
	example  bool // tests, examples, documentation
	made     bool // lock files, bundles, maps: nobody wrote a secret there by hand
	vendored bool // what others wrote, taken in
	words    bool // texts for people, translated or to be translated
}

var (
	exampleFolder = lazily(`^(?:tests?|testing|testdata|test[-_].*|.*[-_.]tests?|specs?|__tests__|__mocks__|__snapshots__|mocks?|mocking|fixtures?|examples?|_examples?|.*[-_]examples?|samples?|.*[-_]samples?|demos?|docs?|documentation|man|manual|tutorials?|cookbook|e2e|integration[-_]?tests?|.*cassettes|golden|unittests?|quickstarts?|website|javadoc|help|wiki|notes|replaydata|benchmarks?)$`)
	exampleFile   = lazily(`(?i)\.(?:mdx?|markdown|rst|adoc|asciidoc|textile|pod|tex|[1-8]|rdoc|org|snap|golden|feature|example|sample|template|dist|tmpl|in|dist\.\w+|example\.\w+|sample\.\w+)$|[._-](?:test|spec|tests|specs|mock|example|sample|unittest|integrationtest)\.\w+$|^test[_-].*|^(?:readme|changelog|changes|contributing|history|news|install|faq|security)(?:\.|$)|^conftest\.|^\.env\.(?:example|sample|dist|test|template)`)
	testClass     = lazily(`(?:Test|Tests|TestCase|Spec|IT|Fixture|Example)\.\w+$`)
	madeFile      = lazily(`(?i)^(?:package-lock|npm-shrinkwrap|composer|packages)\.(?:lock|json|lock\.json)$|^(?:yarn|poetry|pdm|uv|cargo|gemfile|pipfile|mix|pubspec|podfile|flake|deno|bun|pnpm-lock|conda-lock|gradle|gopkg)\.(?:lock|lockb|ya?ml)$|-lock\.(?:json|ya?ml)$|^go\.(?:sum|work\.sum)$|[.-]min\.(?:js|css|mjs)$|\.(?:map|wasm|svg|bundle\.js|chunk\.js|chunk\.css)$|^(?:chunk|bundle|vendor|polyfills|runtime)[.-][\w.-]*\.js$`)
	vendorFolder  = lazily(`^(?:node_modules|bower_components|vendor|vendored|_vendor|third[-_]?party|site-packages|dist-packages)$`)
	wordFolder    = lazily(`^(?:locales?|i18n|l10n|langs?|languages?|translations?|nls|intl|resources?\.?strings|lc_messages|values-[a-z]{2}(?:-r[a-z]{2})?)$`)
	wordFile      = lazily(`(?i)\.(?:po|pot|xlf|xliff|arb|strings|stringsdict|resx|ftl|mo|qm|ts\.xml|lang)$|^(?:messages|strings|lang|locale|translations?|labels|texts?)[\w.-]*\.(?:properties|xml|json|ya?ml|js|ts|php|rb|py|dart)$`)
)

// surroundingsOf reads a path; that of an archive's member is joined by "!".
func surroundingsOf(p string) (s surroundings) {
	if p == "" || strings.HasPrefix(p, "@") {
		return s
	}
	folders := strings.FieldsFunc(p, func(r rune) bool { return r == '/' || r == '\\' || r == '!' })
	if len(folders) == 0 {
		return s
	}
	file := path.Base(folders[len(folders)-1])
	for _, f := range folders[:len(folders)-1] {
		f = strings.ToLower(f)
		s.example = s.example || exampleFolder.matches(f)
		s.words = s.words || wordFolder.matches(f)
		s.made = s.made || f == "node_modules" || f == "bower_components"
		s.vendored = s.vendored || vendorFolder.matches(f)
	}
	s.example = s.example || exampleFile.matches(file) || testClass.matches(file)
	s.made = s.made || madeFile.matches(file)
	s.words = s.words || wordFile.matches(file)
	return s
}
