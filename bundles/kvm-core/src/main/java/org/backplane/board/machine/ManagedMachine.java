package org.backplane.board.machine;

import java.lang.management.ManagementFactory;
import java.util.Map;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import javax.management.StandardMBean;
import org.backplane.board.api.Machine;
import org.backplane.board.api.PauseStats;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows a machine to management consoles.
 *
 * <p>The platform's MBean server takes several hundred milliseconds of processor time to come up, which no short run should pay. Where nobody has asked
 * for it yet, a thread of its own registers the machine a while after it was made. A machine that cannot be registered, because another container in this
 * process has one of its name, runs all the same.
 *
 * <p><b>Threading.</b> Any thread.
 */
final class ManagedMachine implements MachineMXBean, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ManagedMachine.class);
    private static final int LATER_MILLIS = 2000;

    private final Machine machine;
    private final Thread later = new Thread(this::registerLater);
    private boolean registered;
    private boolean closed;

    ManagedMachine(Machine machine) {
        this.machine = machine;
        if (MBeanServerFactory.findMBeanServer(null).isEmpty()) {
            later.setName("jmx-" + machine.name());
            later.setDaemon(true);
            later.start();
        } else {
            register(ManagementFactory.getPlatformMBeanServer());
        }
    }

    private void registerLater() {
        try {
            Thread.sleep(LATER_MILLIS);
            register(ManagementFactory.getPlatformMBeanServer());
        } catch (InterruptedException e) {
            // The machine has ended first.
        }
    }

    private synchronized void register(MBeanServer server) {
        if (closed) return;
        try {
            server.registerMBean(new StandardMBean(this, MachineMXBean.class, true), name());
            registered = true;
        } catch (JMException e) {
            LOG.warn("machine {} is not seen by JMX: {}", machine.name(), e.toString());
        }
    }

    private ObjectName name() throws JMException {
        return new ObjectName("org.backplane:type=Machine,name=" + machine.name());
    }

    @Override
    public String getState() {
        return machine.state().name();
    }

    @Override
    public String getStateDetail() {
        return machine.stateDetail();
    }

    @Override
    public PauseStats getPauses() {
        return machine.pauses();
    }

    @Override
    public Map<String, String> getStats() {
        return machine.stats();
    }

    /** Not seen any more. */
    @Override
    public synchronized void close() {
        closed = true;
        later.interrupt();
        if (!registered) return;
        registered = false;
        try {
            ManagementFactory.getPlatformMBeanServer().unregisterMBean(name());
        } catch (JMException e) {
            LOG.warn("machine {} stays visible to JMX: {}", machine.name(), e.toString());
        }
    }
}
