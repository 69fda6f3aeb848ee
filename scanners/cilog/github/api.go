package github

import "revenant/scanners/cilog/rest"

// Client returns a client of the server's API as Open uses it, and the host by
// which ids name the server. The caller closes it.
func (o Options) Client() (api *rest.Client, host string, err error) {
	host, _, api, err = o.connect()
	return api, host, err
}
