"""From a spectrogram to events and back. Read in this order:

- `spectrogram`: samples become magnitudes; measures of these
- `threads`: a setting that each thread which computes here needs
- `events`: the columns that all the others hand on
- `decoder`: the interface of decoders, which give events as spectrograms and sound
- `sparse_matrix`, `drawing`: partials and noise bands become pictures
- `harmonic_decoder`, `recurrent_decoder`: two of them
- `convolution`, `resonance_decoder`: the published one, which convolves long signals
- `consistent`: the sound of events together has the spectrogram that theirs add up to
- `encoder`: a residual gives candidate events
- `scene_loss`: how far the sum of events is from the original
- `fast_scene`: that sum, fast enough to be fitted step by step
- `onsets`: where sounds begin, and events that move there
- `refine`: all events of a segment are fitted together
- `greedy`: one event after another is chosen, and taken off the residual; all are refined at times
"""
