package main

import "testing"

func TestTmpShow(t *testing.T) {
	b := newBox(t)
	v := generated(78)
	b.must(0, "", "init")
	b.must(0, v, "secret", "add", "shop/db")
	host := newRegistry(t)
	savedImage(t, host+"/shop:1", "", "db="+v)
	savedImage(t, host+"/shop:2", "", "db="+v+" ")
	t.Log(b.must(1, "", "image", host+"/shop", "--all-tags").stdout)
	t.Log(b.must(1, "", "image", host+"/shop", "--all-tags", "-f", "json", "-r", "-", "-q").stdout)
}
