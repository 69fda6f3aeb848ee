package files

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/scanners"
)

// HomeOptions configures NewHome.
type HomeOptions struct {
	Home     string // the user's home directory
	SourceID string // empty: dir:<absolute path>
	Exclude  []string
	Cursor   []byte
	Batch    int // items in a batch; 0: 256
}

// NewHome returns a source that reads the places of a home directory where
// credentials gather; Places lists them. Links there are followed, because
// dotfiles are often links into a repository or a store.
func NewHome(o HomeOptions) (scanners.Source, error) {
	return newWalk(DirOptions{
		Root: o.Home, SourceID: o.SourceID, Exclude: o.Exclude,
		Links: LinksFollow, Cursor: o.Cursor, Batch: o.Batch,
	}, homeFilter{places: Places(), never: notPlaces()})
}

// Place is a pattern of a home directory's files and why they are read.
type Place struct {
	// Pattern is a glob (doublestar) on the path below the home directory.
	Pattern string
	What    string
}

// Places lists what NewHome reads, in the order of the documentation. What no
// place names is not part of the scan.
func Places() []Place {
	return slices.Concat(shellPlaces(), cloudPlaces(), registryPlaces(), keyPlaces(), toolPlaces(), projectPlaces())
}

func shellPlaces() []Place {
	return []Place{
		{".*", "dotfiles, shell start-up files, histories"},
		{".*_history", "shell, database and interpreter histories"},
		{".bash_sessions/**", "shell histories"},
		{".zsh_sessions/**", "shell histories"},
		{".local/share/fish/**", "shell history"},
		{".local/share/{powershell,atuin,nushell,mycli,pgcli,sqlite,python_history}/**", "shell and database histories"},
		{".local/state/**", "histories and editor state"},
		{".{bash,zsh,fish,profile,bashrc,zshrc}.d/**", "shell start-up files"},
		{".{oh-my-zsh,zsh}/custom/**", "shell start-up files"},
		{".{bashrc,zshrc,profile,environment,env}*", "shell start-up files and copies of them"},
	}
}

func cloudPlaces() []Place {
	return []Place{
		{".aws/**", "Amazon Web Services"},
		{".azure/**", "Microsoft Azure"},
		{".config/gcloud/**", "Google Cloud"},
		{".{oci,bluemix,aliyun,linode-cli,tccli,volcengine}/**", "other clouds"},
		{".{terraform.d,terraformrc,pulumi}/**", "infrastructure as code"},
		{".{vault-token,vault,openbao,consul,nomad}/**", "HashiCorp tools and OpenBao"},
		{".{kube,minikube/config,k9s,helm,rancher}/**", "Kubernetes"},
		{".{databrickscfg,snowsql,dbt}/**", "data platforms"},
	}
}

func registryPlaces() []Place {
	return []Place{
		{".docker/**", "container registries"},
		{".{cargo,gem,bundle,composer,nuget,m2,gradle,sbt,ivy2,cpan}/{*,.*}", "package registries"},
		{".{npmrc,yarnrc,yarnrc.yml,pypirc,condarc,netrc,git-credentials}", "package registries, netrc, git"},
		{".nuget/NuGet/**", "package registries"},
		{"_netrc", "netrc"},
	}
}

func keyPlaces() []Place {
	return []Place{
		{".ssh/**", "SSH keys and configuration"},
		{".gnupg/**", "GnuPG keys"},
		{".password-store/**", "pass"},
		{".{age,sops,putty,pki,step}/**", "keys of other tools"},
		{"*.{pem,key,p12,pfx,jks,keystore,ppk,kdbx,asc}", "keys left in the home directory"},
	}
}

func toolPlaces() []Place {
	return []Place{
		{".config/**", "configuration of any tool"},
		{".{vscode,vscode-server,cursor,idea,emacs.d,vim,nvim}/{*,*/*,*/*/*}", "editor settings"},
		{".{subversion,hgrc,gitconfig.d,jupyter,ipython,irssi,weechat,mutt,claude,codex,gemini}/**", "other tools"},
		{"Library/Preferences/*", "preferences"},
		{"Library/Application Support/{Code,Cursor,Postman,Slack,DBeaverData}/{*,*/*,*/*/*}", "settings"},
		{"{*,.*}.{bak,orig,old,save,swp,swo,tmp}", "editor backups"},
		{"{*,.*}~", "editor backups"},
		{"{Downloads,Desktop,Documents}/*.{pem,key,p12,pfx,ppk,json,csv,env,txt,yaml,yml,ini,cfg,conf}", "downloaded credentials"},
		{"*.{env,txt,csv,json,yaml,yml,ini,cfg,conf,sql,sh,tfvars,tfstate}", "files left in the home directory"},
	}
}

// projectPlaces reaches project roots up to four directories deep.
func projectPlaces() []Place {
	var out []Place
	for _, depth := range []string{"*", "*/*", "*/*/*", "*/*/*/*"} {
		out = append(out,
			Place{depth + "/.env", "environment files of projects"},
			Place{depth + "/.env.*", "environment files of projects"},
			Place{depth + "/*.env", "environment files of projects"},
			Place{depth + "/.envrc", "environment files of projects"},
			Place{depth + "/{.npmrc,.pypirc,.netrc,.git-credentials,.yarnrc.yml,.htpasswd}", "credential files of projects"},
			Place{depth + "/{*.tfvars,*.tfstate,secrets.y*ml,credentials.json,service-account*.json,local.settings.json}", "credential files of projects"},
			Place{depth + "/.git/config", "remotes with credentials"},
		)
	}
	return out
}

// notPlaces are directories that no place reaches into: caches that hold
// copies of the internet, and trees of other people's code.
func notPlaces() []string {
	return []string{
		"**/{node_modules,__pycache__,.venv,venv,site-packages}",
		"**/{Cache,Caches,CacheStorage,Code Cache,GPUCache,CachedData,CachedExtensionVSIXs,Service Worker}",
		".cache", ".Trash", ".local/share/Trash", "go/pkg", ".cargo/{registry,git}", ".rustup",
		".m2/repository", ".gradle/caches", ".nuget/packages", ".npm", ".docker/{desktop,buildx,scan}",
		".vscode/extensions", ".cursor/extensions", ".minikube/{cache,machines}", "snap", "Library/Caches",
	}
}

type homeFilter struct {
	places []Place
	never  []string
}

func (h homeFilter) admit(file string) bool {
	for _, p := range h.places {
		if ok, _ := doublestar.Match(p.Pattern, file); ok {
			return true
		}
	}
	return false
}

// enter reports whether a place could lie below dir.
func (h homeFilter) enter(dir string) bool {
	if dir == "" {
		return true
	}
	for _, n := range h.never {
		if ok, _ := doublestar.Match(n, dir); ok {
			return false
		}
	}
	depth := strings.Count(dir, "/") + 1
	for _, p := range h.places {
		if prefixMatches(p.Pattern, dir, depth) {
			return true
		}
	}
	return false
}

// prefixMatches reports whether the first depth parts of a pattern match dir,
// and parts are left for what is inside. A ** takes any number of parts.
func prefixMatches(pattern, dir string, depth int) bool {
	for _, alternative := range expand(pattern) {
		parts := strings.Split(alternative, "/")
		if i := slices.Index(parts, "**"); i >= 0 && i < depth {
			if ok, _ := doublestar.Match(strings.Join(parts[:i+1], "/"), dir); ok {
				return true
			}
			continue
		}
		if len(parts) <= depth {
			continue
		}
		if ok, _ := doublestar.Match(strings.Join(parts[:depth], "/"), dir); ok {
			return true
		}
	}
	return false
}

// expand writes out the first alternatives of a pattern whose braces hold
// slashes, so that it can be cut at slashes; braces without slashes stay.
func expand(pattern string) []string {
	for from := 0; ; {
		open := strings.IndexByte(pattern[from:], '{')
		if open < 0 {
			return []string{pattern}
		}
		open += from
		end := strings.IndexByte(pattern[open:], '}')
		if end < 0 {
			return []string{pattern}
		}
		end += open
		inner := pattern[open+1 : end]
		if !strings.Contains(inner, "/") {
			from = end + 1
			continue
		}
		var out []string
		for _, a := range strings.Split(inner, ",") {
			out = append(out, expand(pattern[:open]+a+pattern[end+1:])...)
		}
		return out
	}
}
