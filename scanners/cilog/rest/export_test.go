package rest

// Rehosts is what becomes of a link on the page of a client.
func (c *Client) Rehosts(link string) string { return c.rehost(link, c.base) }
