// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.util.Hashtable;
import java.util.function.IntConsumer;
import org.osgi.framework.BundleContext;

/**
 * Commands of the shell that concern the process: leaving it, and saying what it is. Gogo finds them by service
 * properties and calls them by reflection, so no type of its is needed; hence the class and its methods are public.
 */
public final class ShellCommands {

    private final IntConsumer exit;

    private ShellCommands(IntConsumer exit) {
        this.exit = exit;
    }

    static void register(BundleContext context, IntConsumer exit) {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("osgi.command.scope", "backplane");
        properties.put("osgi.command.function", new String[] {"banner", "exit", "quit", "version"});
        context.registerService(ShellCommands.class, new ShellCommands(exit), properties);
    }

    /** Ends Backplane. */
    public void exit() {
        exit.accept(0);
    }

    /** Ends Backplane with an exit status. */
    public void exit(int status) {
        exit.accept(status);
    }

    /** Ends Backplane. */
    public void quit() {
        exit.accept(0);
    }

    /** What is running here. */
    public String version() {
        return Main.version();
    }

    /** Greets; {@code System.out} is the session's, Gogo sees to that. */
    public void banner() {
        System.out.println(Main.version());
        System.out.println("Tab completes, help lists the commands, exit or Ctrl-D ends.");
    }
}
