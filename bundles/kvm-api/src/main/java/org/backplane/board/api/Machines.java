package org.backplane.board.api;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The machines of this container: an OSGi service. A machine is a PC: a VM, its cards in slots, and the thread that runs it.
 */
@ProviderType
public interface Machines {
    /**
     * Creates a machine that is not started yet.
     *
     * @param config keys are those of {@link MachineOptions}; they are also the option names of {@code backplane run} and the keys of a
     *     machine file
     * @throws BoardException with one line that says what is wrong with which key
     */
    Machine create(String name, Map<String, List<String>> config) throws BoardException;

    /** Those that have not ended, in order of creation. */
    List<Machine> list();

    Optional<Machine> find(String name);

    /** Types of cards that are in service now, of every kind, with bundle and version; several versions of a type are several rows. */
    List<CardType> cardTypes();

    /**
     * @param kind {@code device}, {@code mmu}, {@code emulator}, {@code cpu-backend}, {@code firmware}, {@code loader}, {@code image}
     */
    record CardType(String kind, String type, String description, String bundle, String version, long bundleId) {}
}
