package org.backplane.board.machine;

import java.util.Map;
import org.backplane.board.api.PauseStats;

/** A machine for management consoles, as {@code org.backplane:type=Machine,name=NAME}; there as long as the machine. */
public interface MachineMXBean {
    /** As the shell shows it: CREATED, RUNNING, PAUSED, WAITING or ENDED. */
    String getState();

    /** Why it waits; empty otherwise. */
    String getStateDetail();

    /** How long the guest stood still while cards were replaced. */
    PauseStats getPauses();

    /** What {@code -stats} prints. The guest stops for a moment to be asked. */
    Map<String, String> getStats();
}
