import { counter, type Family, gauge, type Histogram } from '@branchline/kernel/metrics.ts';
import type { Counters } from './counters.ts';

/** The bridge's metrics for Prometheus; counters as in `/v1/status`. Documented in docs/operating/metrics.md. */
export type BridgeState = Counters & {
  mqttUp: boolean;
  kafkaUp: boolean;
  bufferBytes: number;
  bufferBytesMax: number;
  controlSilentSeconds: number;
  controlRestarts: number;
};

const controlFamilies = (now: BridgeState): Family[] => [
  counter('branchline_bridge_control_sent_total', 'Control messages passed on to agents.', now.controlSent),
  counter(
    'branchline_bridge_control_dropped_total',
    'Control messages without a readable address, or received while the MQTT link was down.',
    now.controlDropped,
  ),
  gauge(
    'branchline_bridge_control_silent_seconds',
    'How long Kafka has not answered the reader of control messages.',
    now.controlSilentSeconds,
  ),
  counter(
    'branchline_bridge_control_restarts_total',
    'Readers of control messages that were replaced because they ended or got no answer for a minute.',
    now.controlRestarts,
  ),
];

export const bridgeMetrics = (now: BridgeState, recordSeconds: Histogram): Family[] => [
  gauge('branchline_bridge_mqtt_up', 'Whether both links to the MQTT broker are up.', Number(now.mqttUp)),
  gauge('branchline_bridge_kafka_up', 'Whether Kafka answers sends.', Number(now.kafkaUp)),
  counter('branchline_bridge_frames_total', 'Frames received, whatever became of them.', now.frames),
  counter('branchline_bridge_events_total', 'Events in valid frames.', now.events),
  counter('branchline_bridge_recorded_events_total', 'Events that Kafka has acknowledged.', now.recorded),
  counter(
    'branchline_bridge_repeated_frames_total',
    'Frames received again while the first copy was still waiting.',
    now.repeated,
  ),
  counter('branchline_bridge_receipts_total', 'Receipt messages published.', now.receipts),
  counter(
    'branchline_bridge_dead_letters_total',
    'Events and pieces of evidence sent to the dead-letter topic.',
    now.deadLettered,
  ),
  counter('branchline_bridge_damaged_frames_total', 'Frames whose checksum did not match.', now.damaged),
  counter(
    'branchline_bridge_refused_frames_total',
    'Messages on a foreign topic, with a foreign or unreadable header, or oversized.',
    now.refusedFrames,
  ),
  counter(
    'branchline_bridge_evidence_dropped_total',
    'Refused messages that were only counted, not kept as dead letters.',
    now.evidenceDropped,
  ),
  counter(
    'branchline_bridge_holds_total',
    'Frames turned away because the buffer was full; their agents keep them.',
    now.held,
  ),
  counter('branchline_bridge_statuses_total', 'Status messages received from agents.', now.statuses),
  counter(
    'branchline_bridge_statuses_dropped_total',
    'Status messages dropped because the buffer was full.',
    now.statusesDropped,
  ),
  ...controlFamilies(now),
  counter(
    'branchline_bridge_failed_sends_total',
    'Sends to Kafka that failed and were retried.',
    now.failedSends,
  ),
  gauge('branchline_bridge_buffer_bytes', 'Bytes of events waiting for Kafka.', now.bufferBytes),
  gauge(
    'branchline_bridge_buffer_max_bytes',
    'Upper limit of the bytes waiting for Kafka.',
    now.bufferBytesMax,
  ),
  recordSeconds.family(
    'branchline_bridge_record_seconds',
    'From a send to its acknowledgement by all in-sync replicas.',
  ),
];
