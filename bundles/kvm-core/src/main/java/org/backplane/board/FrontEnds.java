package org.backplane.board;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineFrontEnd;
import org.backplane.board.api.MachineOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The front ends that machines ask for by their options. */
final class FrontEnds {
    private static final Logger LOG = LoggerFactory.getLogger(FrontEnds.class);

    private final List<MachineFrontEnd> all = new CopyOnWriteArrayList<>();

    /** A front end has come; machines that run already get it too. */
    void add(MachineFrontEnd f, Supplier<List<Machine>> machines) {
        all.add(f);
        for (Machine m : machines.get()) {
            try {
                if (wants(m.config(), f)) f.attach(m);
            } catch (BoardException e) {
                LOG.warn("machine {}: {}", m.name(), e.getMessage());
            }
        }
    }

    void remove(MachineFrontEnd f) {
        all.remove(f);
    }

    /** Every option that a front end has to serve has one. */
    void check(Map<String, List<String>> config) throws BoardException {
        for (String option : config.keySet()) {
            if (MachineOptions.SERVED.contains(option) && all.stream().noneMatch(f -> f.options().contains(option))) {
                throw new BoardException(option + ": the front end for it is not there");
            }
        }
    }

    /** Tells the front ends of a new machine. */
    void serve(Machine m) throws BoardException {
        for (MachineFrontEnd f : all) if (wants(m.config(), f)) f.attach(m);
    }

    private static boolean wants(Map<String, List<String>> config, MachineFrontEnd f) {
        return f.options().isEmpty() || !Collections.disjoint(config.keySet(), f.options());
    }
}
