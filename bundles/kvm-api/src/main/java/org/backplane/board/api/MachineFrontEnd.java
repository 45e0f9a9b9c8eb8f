package org.backplane.board.api;

import java.util.Set;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A front end that serves machines because their configuration asks for it, such as the GDB stub: an OSGi service, looked for by the board. It comes and
 * goes at any time; a machine that asks for one which is not there cannot be created.
 */
@ConsumerType
public interface MachineFrontEnd {
    /** Names of the machine options that it serves, see {@link MachineOptions#SERVED}; none: it serves every machine. */
    Set<String> options();

    /**
     * A machine has one of its options, or it serves all. The machine was just created and is not started; or this front end has just come. Called once a machine, by the thread
     * that creates it or registers the service; {@link Machine#ended} tells of its end.
     *
     * @throws BoardException with one line that says what is wrong with which option; a new machine is not created then
     */
    void attach(Machine machine) throws BoardException;
}
