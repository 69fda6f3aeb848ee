package rules

import (
	"strings"
	"sync"
)

// commonValues are passwords that everybody would try, letters only.
var commonValues = sync.OnceValue(func() map[string]bool {
	return wordsOf(`abc abcd abcdef admin administrator adminadmin adminpass adminpassword alice anonymous apache app asdf asdfasdf
asdfgh bar baz bob canal changeit changeme changemeplease cisco client cloud correct database db default demo dev
developer docker elastic example foo foobar foobarbaz gitlab good goodpassword gorm grafana guest hello helloworld hunter
ilovey iloveyou incorrect jenkins keystore kafka letmein localhost localsecret login master minio mongo mongodb mypass mypassword
mysecret mysecretpassword mysql neo nopassword oracle pass passpass passphrase passw password passwordpassword passwd pg
pgpass postgres postgresql private pwd qwerty qwertyuiop rabbit rabbitmq redis redispassword root rootpassword rootpass
sa sample secret secretkey secretpass secretpassword secrets service shared sikrit storepass server solr spring super superuser
supersecret supersecretpassword somepassword sys system temp temporary test testpass testpassword testing tester testtest
testuser thepassword tiger tomcat topsecret trustno trustnoone user username userpass userpassword vagrant verysecret weblogic
welcome wordpress wrong wrongpass wrongpassword bad badpass badpassword invalidpassword newpass newpassword oldpass oldpassword
myuserpassword bitnami nextcloud ubuntu debian centos raspberry toor zabbix`)
})

// noValues are words, in lower case, that are no password where one is named.
var noValues = sync.OnceValue(func() map[string]bool {
	return wordsOf(`true false null none nil undefined nan yes no on off string str text char varchar bool boolean int integer
number object array byte bytes function method void any type const static public final required optional
invalid hidden input textbox textfield default auto prompt stdin stdout env empty unset blank missing disabled enabled never always
ignored unused removed deprecated unknown other wrong-password new-password current-password one-time-code plaintext
plain text/plain basic bearer digest oauth oauth2 cleartext encrypted hashed hash bcrypt md5 sha1 sha256 scram-sha-256 scram trust peer
this self super return await async typeof class struct interface enum import export include require from with
value values field fields label name username user-password password: passwort contrasena senha kennwort wachtwoord motdepasse
md5sum token tokens key keys secret: file files path url uri host port email mail phone sms totp otp mfa error errors success
failed failure expired reset update updated change changed create created delete deleted show hide forgot
confirm confirmation repeat again match mismatch length strength policy policies generator manager protected protection
must should cannot is are was has have the and for not only if then else when where will can may
your pending rejected accepted allowed denied ok okay n/a tbd tba todo fail passed skip skipped`)
})

func wordsOf(text string) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(text) {
		words[w] = true
	}
	return words
}
