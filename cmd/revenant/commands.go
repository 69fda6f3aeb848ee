package main

import "github.com/spf13/cobra"

func (a *app) addCommands(root *cobra.Command) {
	root.AddCommand(
		a.dirCommand(), a.gitCommand(), a.imageCommand(), a.stdinCommand(), a.homeCommand(), a.logsCommand(), a.kafkaCommand(), a.hookCommand(), a.ciCommand(),
		a.findingsCommand(), a.searchCommand(), a.coverageCommand(), a.proveCommand(), a.sourceCommand(), a.statusCommand(),
		a.watchGroup(), a.serveCommand(), a.workerCommand(), a.configCommand(), a.notifyGroup(), a.tokenGroup(), a.personGroup(),
		a.initCommand(), a.secretCommand(), a.loginCommand(), a.logoutCommand(),
		a.keyCommand(), a.storeCommand(), a.packCommand(), a.auditCommand(), a.rulesCommand(), a.migrateCommand(), a.doctorCommand(),
		a.versionCommand(), a.referenceCommand(),
	)
	root.AddCommand(topics()...)
	root.SetHelpCommandGroupID("care")
	root.SetCompletionCommandGroupID("care")
	completionTexts(root)
	if a.completing {
		a.complete(root)
	}
	helpTexts(root)
}
