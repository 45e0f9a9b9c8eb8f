package org.backplane.gdbstub;

import org.backplane.board.api.Machine;

/** Who executes gdb's {@code monitor} commands. */
interface MonitorConsole {
    /** There is no shell. */
    MonitorConsole NONE = (m, line) -> "there is no shell here: monitor commands need one (backplane without 'run')\n";

    /** Executes a line about a machine; answers what it printed, or what is wrong. */
    String execute(Machine machine, String line);
}
